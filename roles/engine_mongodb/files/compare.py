"""Compares the collections that there are with those that a backup was made of.

Their numbers of documents stand as JSON on the input. What differs is said, and the exit is 1.
"""

from __future__ import annotations

import json
import sys

sys.path.insert(0, "/usr/local/lib/coffer/mongodb")
from coffer_mongodb import Connection


def differences(server: Connection, expected: dict[str, list[int]]) -> list[str]:
    """A sentence for each collection with too few or too many documents."""
    said = []
    for whole, (least, most) in sorted(expected.items()):
        database, _, name = whole.partition(".")
        body = {"aggregate": name, "pipeline": [{"$count": "n"}], "cursor": {}}
        batch = server.command(database, body)["cursor"]["firstBatch"]
        number = batch[0]["n"] if batch else 0
        if not least <= number <= most:
            said.append(f"{whole} has {number} documents, the backup had {least} to {most}")
    return said


def main() -> None:
    """`compare.py PORT`."""
    wrong = differences(Connection(int(sys.argv[1]), "root", timeout=3600), json.load(sys.stdin))
    if wrong:
        sys.exit("; ".join(wrong[:20]))


main()
