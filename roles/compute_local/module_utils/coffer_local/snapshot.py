"""Snapshots of a guest's disks: clones of their files, which share blocks until one is written.

A clone of a running guest's disk is what a power cut would leave, which XFS and engines recover
from. No file system is frozen for it: one that a killed run left frozen would stop its guest.
"""

from __future__ import annotations

import os
from pathlib import Path

from . import guest, image, podman, volume
from .command import run
from .disk import Disk, detached
from .files import read_text, write_atomic
from .mounts import no_file, source_of, unmounted
from .settings import Settings
from .steps import Step
from .store import Record

DISKS = ("root", "data")


def taken(settings: Settings, record: Record, name: str) -> list[Step]:
    """A snapshot of each disk. One that is there already stays as it is."""
    return [
        *_image_steps(settings, record, name),
        *(step for disk in DISKS for step in _clone_steps(settings, record, disk, name)),
    ]


def _image_steps(settings: Settings, record: Record, name: str) -> list[Step]:
    """What the root disk lies upon: a guest that is rebuilt lies upon another image."""
    path, image_ = _image_file(settings, record, name), guest.image_of(record)
    return [Step("image", path.exists, lambda: write_atomic(path, image_))]


def restored(settings: Settings, record: Record, name: str, disks: list[str]) -> list[Step]:
    """The disks are as they were, and the guest is down; `guest.bring_up` starts it again.

    A snapshot is used up by this, so that a second run leaves alone what was written since.
    """
    container, tree = settings.name(record.instance), guest.root_of(settings, record.instance)
    mine = [
        (_file(settings, record, disk, name), volume.disk_of(settings, record.instance, disk, 0))
        for disk in disks
    ]
    if not any(file.exists() for file, _ in mine):
        return []
    return [
        *guest.stopped(settings, record),
        Step(
            "container",
            lambda: podman.is_gone(container, tree),
            lambda: podman.remove(settings, container, tree),
        ),
        unmounted(tree),
        *(_image_back(settings, record, name) if "root" in disks else []),
        *(step for file, disk in mine for step in _restore_steps(file, disk)),
        *([no_file(_image_file(settings, record, name))] if "root" in disks else []),
    ]


def _image_back(settings: Settings, record: Record, name: str) -> list[Step]:
    """While the root disk's snapshot is there, what it lies upon has to be put back too."""
    file, before = _file(settings, record, "root", name), _image_file(settings, record, name)
    chosen = read_text(before) or guest.image_of(record)

    def put_back() -> None:
        guest.lie_upon(settings, record, chosen)

    return [Step("image", lambda: not file.exists() or guest.lies_upon(record, chosen), put_back)]


def forgotten(settings: Settings, record: Record, name: str) -> list[Step]:
    """The snapshot's files are gone, those of a killed run too, and images that only it needed."""
    files = [_file(settings, record, disk, name) for disk in DISKS]
    container, mine = settings.name(record.instance), guest.image_of(record)
    return [
        *(no_file(path) for file in files for path in (file, _temp(file))),
        no_file(_image_file(settings, record, name)),
        Step(
            "images",
            lambda: {each.parent.name for each in image.used_by(settings, container)} <= {mine},
            lambda: image.release(settings, container, but=mine),
        ),
    ]


def _clone_steps(settings: Settings, record: Record, name: str, snapshot: str) -> list[Step]:
    disk = volume.disk_of(settings, record.instance, name, 0)
    file = _file(settings, record, name, snapshot)
    return [Step(f"snapshot of {name}", file.exists, lambda: _clone(disk, file))]


def _clone(disk: Disk, file: Path) -> None:
    """Under another name first: a file with the right name always holds a whole disk."""
    temp = _temp(file)
    if source_of(disk.mountpoint) is not None:
        run("sync", "--file-system", str(disk.mountpoint))
    run("cp", "--reflink=always", str(disk.file), str(temp))
    _sync(temp)
    temp.rename(file)
    _sync(file.parent)


def _restore_steps(file: Path, disk: Disk) -> list[Step]:
    """While the snapshot's file is there, the disk is still the one to be replaced."""
    return [
        unmounted(disk.mountpoint),
        detached(disk.file),
        Step(f"restore {disk.file.stem}", lambda: not file.exists(), lambda: _replace(file, disk)),
    ]


def _replace(file: Path, disk: Disk) -> None:
    file.rename(disk.file)
    _sync(file.parent)


def _file(settings: Settings, record: Record, disk: str, snapshot: str) -> Path:
    return settings.pool / record.instance / f"{disk}{volume.SNAPSHOT}{snapshot}.img"


def _image_file(settings: Settings, record: Record, snapshot: str) -> Path:
    return settings.pool / record.instance / f"image{volume.SNAPSHOT}{snapshot}"


def _temp(file: Path) -> Path:
    return file.with_suffix(".new")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
