"""Mounts of this host."""

from __future__ import annotations

import re
from pathlib import Path

from .command import run
from .steps import Step


def source_of(path: Path) -> str | None:
    """What is mounted at `path` (the topmost mount), or None."""
    found = None
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        if _unescape(before.split(" ")[4]) == str(path):
            found = after.split(" ")[1]
    return found


def _unescape(path: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), path)


def unmounted(path: Path) -> Step:
    """A step: nothing is mounted at `path`."""
    return Step(f"unmount {path.name}", lambda: source_of(path) is None, lambda: _unmount(path))


def _unmount(path: Path) -> None:
    while source_of(path) is not None:
        run("umount", str(path))


def no_file(path: Path) -> Step:
    """A step: the file is gone."""
    return Step(f"remove {path.name}", lambda: not path.exists(), path.unlink)


def no_directory(path: Path) -> Step:
    """A step: the mount point is gone. rmdir refuses what is not empty: nothing is lost."""
    return Step(f"remove {path.name}", lambda: not path.exists(), path.rmdir)
