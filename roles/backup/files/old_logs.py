"""Prints the snapshots of logs that no restore needs, of restic's repository.

On the input stands a JSON object: for each chain of logs the moment (unix seconds) of the oldest
backup that it carries on from. Of a chapter the newest snapshot holds all that older ones do. The
newest chapter of all stays: the guest adds to it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from typing import Any

Snapshot = dict[str, Any]


def snapshots() -> list[Snapshot]:
    """All of logs, the oldest first."""
    listed = subprocess.run(["restic", "snapshots", "--json", "--no-lock", "--tag", "log"],
                            capture_output=True, text=True, check=False)  # fmt: skip
    if listed.returncode:
        sys.exit(f"restic: {listed.stderr.strip()[-500:]}")
    rows = sorted(json.loads(listed.stdout) or [], key=lambda row: str(row["time"]))
    return [row | dict(tag.split("=", 1) for tag in row["tags"] if "=" in tag) for row in rows]


def unneeded(rows: list[Snapshot], oldest: dict[str, float]) -> list[str]:
    """Ids: superseded ones, and chapters that end before any backup needs them."""
    newest = {(row["chain"], int(row["chapter"])): row for row in rows}
    kept = {row["id"] for row in newest.values()}
    found = [row["id"] for row in rows if row["id"] not in kept]
    last = rows[-1]["id"] if rows else None
    for chain in {row["chain"] for row in rows}:
        chapters = [newest[key] for key in sorted(newest) if key[0] == chain]
        needed_from = oldest.get(chain, float("inf"))
        ended = [row for row, after in pairwise(chapters) if float(after["since"]) <= needed_from]
        whole = chapters[-1:] if chain not in oldest else []
        found += [row["id"] for row in ended + whole if row["id"] != last]
    return found


def main() -> None:
    """One line of ids."""
    print(" ".join(unneeded(snapshots(), json.load(sys.stdin))))


if __name__ == "__main__":
    main()
