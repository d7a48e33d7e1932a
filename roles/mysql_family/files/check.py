# Follows server.py. Has the server check every table of users; prints what it finds wrong.
import sys


def complaints(server: Server) -> list[str]:  # noqa: F821
    """A sentence for each table that the server does not call sound."""
    said = []
    marks = ", ".join(["%s"] * len(OURS))  # noqa: F821
    tables = server.rows(
        "SELECT table_schema, table_name FROM information_schema.tables"  # noqa: S608
        f" WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ({marks})",
        OURS,  # noqa: F821
    )
    for pair in tables:
        quoted = ".".join(f"`{name.replace('`', '``')}`" for name in pair)
        for _table, _what, kind, text in server.rows(f"CHECK TABLE {quoted}"):
            if kind.lower() == "error" or (kind.lower() == "status" and text != "OK"):
                said.append(f"{'.'.join(pair)}: {text}")
    return said


wrong = complaints(Server())  # noqa: F821
if wrong:
    sys.exit("; ".join(wrong[:20]))
