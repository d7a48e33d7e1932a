# Follows server.py. Compares the tables that there are with those that a backup was made of, whose
# least and greatest numbers of rows stand as JSON on the input; prints what differs.
import json
import sys


def differences(expected: dict[str, list[int]], found: dict[str, int]) -> list[str]:
    """A sentence for each table that is missing or has too few or too many rows."""
    said = []
    for name, (least, most) in sorted(expected.items()):
        if name not in found:
            said.append(f"{name} is missing")
        elif not least <= found[name] <= most:
            said.append(f"{name} has {found[name]} rows, the backup had {least} to {most}")
    return said


expected = json.load(sys.stdin)
wrong = differences(expected, Server().counts(3600)) if expected else []  # noqa: F821
if wrong:
    sys.exit("; ".join(wrong[:20]))
