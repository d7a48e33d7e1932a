"""Has the server validate every collection of users; what is wrong is said, and the exit is 1."""

from __future__ import annotations

import sys
from collections.abc import Iterator

sys.path.insert(0, "/usr/local/lib/coffer/mongodb")
from coffer_mongodb import Connection

OURS = ("admin", "config", "local", "coffer")


def collections(server: Connection) -> Iterator[tuple[str, str]]:
    """Databases and collections of users."""
    listed = server.command("admin", {"listDatabases": 1, "nameOnly": True})["databases"]
    for database in sorted({each["name"] for each in listed} - set(OURS)):
        body = {"listCollections": 1, "filter": {"type": "collection"}, "nameOnly": True}
        cursor = server.command(database, {**body, "cursor": {"batchSize": 10**6}})["cursor"]
        yield from ((database, each["name"]) for each in cursor["firstBatch"])


def complaints(server: Connection) -> list[str]:
    """A sentence for each collection that the server does not call valid."""
    said = []
    for database, name in collections(server):
        found = server.command(database, {"validate": name, "full": True})
        if not found["valid"]:
            said.append(f"{database}.{name}: {'; '.join(map(str, found['errors'][:3]))}")
    return said


def main() -> None:
    """`validate.py PORT`."""
    wrong = complaints(Connection(int(sys.argv[1]), "root", timeout=3600))
    if wrong:
        sys.exit("; ".join(wrong[:20]))


main()
