"""Makes one backup of this guest's engine: `backup.py run`, `backup.py release`.

`source.py` beside it knows the engine, `repository.py` restic; this knows the volume's room. What
it did, or why it did not, it leaves in result.json.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

PLACE = Path(__file__).parent
sys.path.insert(0, str(PLACE))

import source  # type: ignore[import-not-found]
from common import Directory, Trouble
from repository import Repository

RESERVE = 0.05
"""Share of the volume that a backup leaves to the engine."""


def check_room(job: dict[str, Any]) -> None:
    """Refuse to begin what would fill the volume.

    Raises:
        Trouble: with both sizes.
    """
    needed = source.needed(job)
    if not needed:
        return
    volume = os.statvfs(job["volume"])
    free = int(volume.f_bavail * volume.f_frsize - RESERVE * volume.f_blocks * volume.f_frsize)
    if needed > free:
        raise Trouble(
            f"a {job['method']} backup needs {needed >> 20} MiB on the volume beside the data, and "
            f"{max(free, 0) >> 20} MiB may be used: grow the volume, or ask for another method"
        )


def make(job: dict[str, Any]) -> dict[str, Any]:
    """The whole backup; what is known of it afterwards."""
    began = time.monotonic()
    source.release(job)
    repository = Repository(job)
    repository.open()
    check_room(job)
    chain = chain_of(job)
    with source.take(job) as data:
        taken = time.time()
        summary = repository.save(data)
    return {
        "snapshot": summary["snapshot_id"],
        "size": summary["total_bytes_processed"],
        "stored": summary["data_added"],
        "seconds": round(time.monotonic() - began, 2),
        "details": {
            "kind": "directory" if isinstance(data, Directory) else "stream",
            "path": str(data.path) if isinstance(data, Directory) else f"/{data.name}",
            **point(job, chain, taken if isinstance(data, Directory) else time.time()),
            **data.facts,
        },
    }


def chain_of(job: dict[str, Any]) -> str | None:
    """The chain of logs that is being sent."""
    try:
        state = json.loads((Path(job["volume"]) / ".logs" / "state.json").read_text())
    except (OSError, ValueError):
        return None
    return str(state["chain"])


def point(job: dict[str, Any], chain: str | None, taken: float) -> dict[str, Any]:
    """From when on (unix seconds) logs of which chain carry on from what was copied."""
    return {"chain": chain, "at": taken} if chain and chain == chain_of(job) else {}


def run(job: dict[str, Any]) -> None:
    """Make the backup and leave word of it."""
    try:
        result = make(job)
    except Trouble as trouble:
        result = {"error": str(trouble)}
    except Exception as error:
        result = {"error": f"{type(error).__name__}: {error}"}
    new = PLACE / "result.new"
    new.write_text(json.dumps(result))
    new.replace(PLACE / "result.json")


def main() -> None:
    """`run` by the unit, `release` by systemd when that has ended, in whatever way."""
    job = json.loads((PLACE / "job.json").read_text())
    if sys.argv[1:] == ["release"]:
        source.release(job)
    else:
        run(job)


if __name__ == "__main__":
    main()
