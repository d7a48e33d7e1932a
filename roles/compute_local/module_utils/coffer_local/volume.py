"""The pool of disk files, and the data volumes in it."""

from __future__ import annotations

import shutil
from pathlib import Path

from .disk import GIB, Disk, absent, present
from .mounts import source_of
from .settings import Settings
from .steps import Step
from .store import Record

SNAPSHOT = "@"
"""Stands between the names of disk and snapshot in the name of a snapshot's file."""


def pool_steps(settings: Settings) -> list[Step]:
    """A file system with reflinks for the disk files. Hold the host's lock.

    An operator who mounted a file system of his own there keeps it.
    """
    file = _pool_file(settings)
    if source_of(settings.pool) is not None and not file.exists():
        return []
    return present(Disk(file, settings.pool, _pool_size(settings)))


def pool_if_made(settings: Settings) -> list[Step]:
    """Mounted, or the files in it would not be seen; but never made only to look."""
    return pool_steps(settings) if _pool_file(settings).exists() else []


def pool_removal(settings: Settings) -> list[Step]:
    """Only a pool that is ours and empty."""
    file = _pool_file(settings)
    return absent(Disk(file, settings.pool, 0)) if file.exists() else []


def _pool_file(settings: Settings) -> Path:
    return settings.state_dir / "pool.img"


def _pool_size(settings: Settings) -> int:
    """Bytes. Without a setting: four fifths of what is free when the pool is made."""
    file = _pool_file(settings)
    if file.exists():
        return max(settings.pool_size * GIB, file.stat().st_size)
    there = next(path for path in file.parents if path.exists())
    return (settings.pool_size or shutil.disk_usage(there).free // GIB * 4 // 5) * GIB


def directory(settings: Settings, instance: str) -> Path:
    """Mount points and seed of one guest."""
    return settings.state_dir / "guests" / instance


def disk_of(settings: Settings, instance: str, name: str, size: int) -> Disk:
    """size: GiB."""
    return Disk(
        settings.pool / instance / f"{name}.img",
        directory(settings, instance) / name,
        size * GIB,
    )


def volume_steps(settings: Settings, record: Record, name: str, make: bool = True) -> list[Step]:
    return present(disk_of(settings, record.instance, name, record.volumes[name]), make)


def snapshots_absent(settings: Settings, instance: str) -> Step:
    """A step: no snapshot of this guest's disks is left."""
    folder = settings.pool / instance

    def remove() -> None:
        for path in folder.glob(f"*{SNAPSHOT}*"):
            path.unlink()

    return Step("snapshots", lambda: not any(folder.glob(f"*{SNAPSHOT}*")), remove)
