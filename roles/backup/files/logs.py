"""Sends what the engine logged since the last time: `logs.py begin`, `logs.py send`.

A chain is a sequence of logs without a gap. It is sent in chapters of some dozens of files; each
round leaves a snapshot of the whole chapter so far, of which only what is new is read and sent.
So a restore needs one snapshot of each chapter. `source.py` beside this knows the engine.

The state is written last: a round that was cut short at any point is simply done again.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
import uuid
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import source  # type: ignore[import-not-found]
from common import Gap, Trouble
from repository import Repository

SETTINGS = Path("/etc/coffer/logs.json")
REACH = Path("/var/lib/coffer/logs.json")
"""What the agent reports: `chain`, and from when until when (unix seconds) it is sent."""
CHAPTER_FILES = 60
CHAPTER_SHARE = 32
"""A chapter ends when its files are this part of the volume."""


class Sender:
    """One round."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._job = job
        self._place = Path(job["volume"]) / ".logs"
        self._spool = self._place / "spool"
        self._state_file = self._place / "state.json"

    def begin(self) -> dict[str, Any]:
        """The chain that there is, or a new one; it needs no gateway."""
        self._spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._place.chmod(0o700)
        with contextlib.suppress(OSError, ValueError):
            return dict(json.loads(self._state_file.read_text()))
        return self._new()

    def _new(self) -> dict[str, Any]:
        place, since = source.begin(self._job)
        state = {
            "chain": uuid.uuid4().hex[:12],
            "since": since,
            "until": since,
            "place": place,
            "chapter": chapter(1, since),
        }
        self._save(state)
        return state

    def send(self) -> None:
        """Send what is new.

        Raises:
            Trouble: it was not sent; the next round sends it.
        """
        state = self.begin()
        self._tidy(state)
        try:
            found = source.collect(self._job, state["place"], self._spool)
        except Gap as gap:
            sys.stderr.write(f"{gap}; a new chain begins, which the next backup carries on from\n")
            self._new()
            return
        if found.files:
            self._deliver(state, [str(file) for file in found.files])
        state |= {"place": found.place, "until": found.until}
        state["chapter"]["until"] = found.until
        self._save(state)
        self._tidy(state)
        source.spare(self._job, state["place"])

    def _deliver(self, state: dict[str, Any], files: list[str]) -> None:
        current = state["chapter"]
        if current["files"] and self._is_full(current["files"], files):
            current = state["chapter"] = chapter(current["number"] + 1, state["until"])
        current["files"] += files
        tags = [
            "log",
            f"chain={state['chain']}",
            f"chapter={current['number']}",
            f"since={current['since']:.6f}",
        ]
        repository = Repository(self._job)
        repository.open()
        if current["snapshot"] is None:
            repository.unlock()
        paths = [Path(name) for name in current["files"]]
        try:
            current["snapshot"] = repository.add(paths, tags, current["snapshot"])
        except Trouble as trouble:
            if "parent" not in str(trouble):
                raise
            # The control plane needed the one before no more.
            current["snapshot"] = repository.add(paths, tags, None)

    def _is_full(self, old: list[str], new: list[str]) -> bool:
        volume = os.statvfs(self._place)
        room = min(volume.f_frsize * volume.f_blocks // CHAPTER_SHARE, 256 << 20)
        try:
            size = sum(Path(name).stat().st_size for name in old)
        except FileNotFoundError:  # the engine has let one go
            return True
        # Names of one length sort as they follow one another.
        return len(old) >= CHAPTER_FILES or size > room or len(old[0]) != len(new[-1])

    def _save(self, state: dict[str, Any]) -> None:
        write(self._state_file, json.dumps(state), 0o600)
        told = {key: state[key] for key in ("chain", "since", "until")}
        REACH.parent.mkdir(exist_ok=True)
        write(REACH, json.dumps(told), 0o644)

    def _tidy(self, state: dict[str, Any]) -> None:
        """Take away files of our own that no further snapshot of the chapter needs."""
        kept = set(state["chapter"]["files"])
        for file in self._spool.iterdir():
            if str(file) not in kept:
                file.unlink()


def chapter(number: int, since: float) -> dict[str, Any]:
    """One without files; `since` is the moment that it begins at."""
    return {"number": number, "since": since, "until": since, "files": [], "snapshot": None}


def write(path: Path, text: str, mode: int) -> None:
    """Whole or not at all, also when the power fails."""
    new = path.with_suffix(".new")
    with new.open("w") as stream:
        os.fchmod(stream.fileno(), mode)
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(path)


def main() -> None:
    """Say in one line why a round failed."""
    job = json.loads(SETTINGS.read_text())
    sender = Sender(job)
    place = Path("/run/coffer-logs.lock")
    with place.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            sender.begin() if sys.argv[1:] == ["begin"] else sender.send()
        except Trouble as trouble:
            sys.exit(str(trouble))
        except Exception as error:
            sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
