"""Streams the logs of a chain from the storage into a command of a guest.

On the input stands a JSON object: `chain`, `at` (unix seconds: when the backup was taken that they
carry on from), `to` (unix seconds that nothing after is needed of, or null), and `receive`, the
command, which reads tar archives, one after the other. restic's settings are in the environment.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

Chapter = dict[str, Any]
GRACE = 5.0
"""Seconds in which a guest that has failed hangs up."""


def chapters(chain: str) -> list[Chapter]:
    """Each chapter of the chain by its newest snapshot, in order."""
    listed = subprocess.run(["restic", "snapshots", "--json", "--tag", f"log,chain={chain}"],
                            capture_output=True, text=True, check=False)  # fmt: skip
    if listed.returncode:
        sys.exit(f"restic: {listed.stderr.strip()[-500:]}")
    newest: dict[int, Chapter] = {}
    for row in sorted(json.loads(listed.stdout) or [], key=lambda row: str(row["time"])):
        told = dict(tag.split("=", 1) for tag in row["tags"] if "=" in tag)
        newest[int(told["chapter"])] = {
            "number": int(told["chapter"]),
            "since": float(told["since"]),
            "snapshot": row["id"],
            "place": str(Path(row["paths"][0]).parent),
        }
    return [newest[number] for number in sorted(newest)]


def needed(found: list[Chapter], at: float, to: float | None) -> list[Chapter]:
    """Those with anything after `at` and before `to`; exits where one is missing."""
    first = max((index for index, row in enumerate(found) if row["since"] <= at), default=0)
    wanted = [row for row in found[first:] if to is None or row["since"] < to]
    numbers = [row["number"] for row in wanted]
    if wanted and (numbers != list(range(numbers[0], numbers[-1] + 1)) or wanted[0]["since"] > at):
        sys.exit(f"logs are missing from the repository: there are chapters {numbers}")
    return wanted


def why_not(receiver: subprocess.Popen[bytes], otherwise: str) -> str:
    """The guest's failure, which makes the sender's; else the sender's own."""
    try:
        status = receiver.wait(GRACE)
    except subprocess.TimeoutExpired:
        receiver.kill()
        return f"logs: {otherwise}"
    return f"the guest could not play the logs (status {status})"


def main() -> None:
    """Stream them all to one process."""
    told = json.load(sys.stdin)
    wanted = needed(chapters(told["chain"]), told["at"], told["to"])
    with subprocess.Popen(told["receive"], stdin=subprocess.PIPE) as receiver:
        for row in wanted:
            dump = ["restic", "dump", "--quiet", "--archive", "tar", row["snapshot"], row["place"]]
            if subprocess.run(dump, stdout=receiver.stdin, check=False).returncode:
                sys.exit(why_not(receiver, f"chapter {row['number']} could not be read"))
        receiver.stdin.close()  # type: ignore[union-attr]
        if receiver.wait():
            sys.exit(why_not(receiver, ""))
    print(f"{len(wanted)} chapters of logs were brought")


main()
