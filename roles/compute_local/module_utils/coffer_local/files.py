"""Files that survive kill -9, and locks."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_atomic(path: Path, text: str, mode: int = 0o600) -> None:
    """Write temp, sync, rename: a reader sees the old text or the new one, never half.

    Hold the lock that guards the file: a killed writer's temp is written over, not left.
    """
    temp = temp_of(path)
    descriptor = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temp.rename(path)


def temp_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")


def read_text(path: Path) -> str | None:
    """The file's text, or None when there is no such file."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return None


def link_atomic(link: Path, target: str) -> None:
    """Point a symbolic link somewhere else without a moment at which there is none."""
    temp = temp_of(link)
    temp.unlink(missing_ok=True)
    temp.symlink_to(target)
    temp.rename(link)


def remove_files(directory: Path) -> None:
    """Remove a directory of plain files. Never recursive: a mount must not be emptied."""
    if directory.is_dir():
        for path in directory.iterdir():
            path.unlink()
        directory.rmdir()


@contextmanager
def locked(path: Path, exclusive: bool = True) -> Iterator[None]:
    """Hold a lock until the block or the process ends, whichever is first."""
    descriptor = _open_locked(path, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
    try:
        yield
    finally:
        os.close(descriptor)


def _open_locked(path: Path, kind: int) -> int:
    """Open and lock the file that is at `path` now: its last holder may have removed it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, kind)
        if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
        os.close(descriptor)
