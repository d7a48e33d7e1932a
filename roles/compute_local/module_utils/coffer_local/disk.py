"""Disks: XFS in a sparse file on a loop device."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .command import CommandFailed, run
from .mounts import no_directory, no_file, source_of, unmounted
from .steps import Step

GIB = 1 << 30


@dataclass(frozen=True)
class Disk:
    """A file with a file system, and where it is mounted. size: bytes."""

    file: Path
    mountpoint: Path
    size: int
    options: str = "nouuid,discard"  # clones share a UUID; deleted blocks go back to the pool


def present(disk: Disk, make: bool = True) -> list[Step]:
    """Formatted, attached, mounted, of at least the wanted size.

    make=False: a disk that is missing is an error, not a reason to make an empty one.
    """
    label = disk.file.stem
    return [
        Step(
            f"{label} disk",
            disk.file.exists,
            lambda: _format(disk) if make else _missing(disk.file),
        ),
        Step(
            f"{label} mounted",
            lambda: source_of(disk.mountpoint) is not None,
            lambda: _mount(disk),
        ),
        Step(f"{label} grown", lambda: _bytes_of(disk) >= disk.size, lambda: _grow(disk)),
    ]


def absent(disk: Disk) -> list[Step]:
    """Unmounted, detached, gone."""
    return [
        unmounted(disk.mountpoint),
        detached(disk.file),
        no_file(disk.file),
        no_file(_temp(disk)),
        no_directory(disk.mountpoint),
    ]


def detached(file: Path) -> Step:
    """A step: no loop device holds the file."""
    return Step("detach", lambda: not _loops_of(file), lambda: _detach(file))


def _temp(disk: Disk) -> Path:
    return disk.file.with_suffix(".new")


def _missing(file: Path) -> None:
    raise FileNotFoundError(f"{file} is missing: the disk of this guest is lost")


def _format(disk: Disk) -> None:
    """Under another name first: a file with the right name always holds a file system."""
    disk.file.parent.mkdir(parents=True, exist_ok=True)
    temp = _temp(disk)
    temp.unlink(missing_ok=True)
    with temp.open("wb") as stream:
        stream.truncate(disk.size)
    run("mkfs.xfs", "-q", "-K", "-s", "size=4096", str(temp))
    temp.rename(disk.file)


def _loops_of(file: Path) -> list[str]:
    """Loop devices that hold this file."""
    held = Path("/sys/block").glob("loop*/loop/backing_file")
    return [f"/dev/{path.parts[3]}" for path in held if _read(path) == str(file)]


def _read(path: Path) -> str:
    """Empty when the device went away meanwhile."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _attach(file: Path) -> str:
    """Direct I/O keeps the page cache from holding everything twice; not all hosts can."""
    attached = _loops_of(file)
    if attached:
        return attached[0]
    losetup = ("losetup", "--find", "--show", "--sector-size", "4096")
    try:
        return run(*losetup, "--direct-io=on", str(file)).strip()
    except CommandFailed:
        return run(*losetup, str(file)).strip()


def _detach(file: Path) -> None:
    for loop in _loops_of(file):
        run("losetup", "--detach", loop)


def _mount(disk: Disk) -> None:
    loop = _attach(disk.file)
    disk.mountpoint.mkdir(parents=True, exist_ok=True)
    run("mount", "-t", "xfs", "-o", disk.options, loop, str(disk.mountpoint))


def _bytes_of(disk: Disk) -> int:
    """Size of the mounted file system, 0 when it is not mounted. (statvfs leaves out the log.)"""
    if source_of(disk.mountpoint) is None:
        return 0
    geometry = run("xfs_growfs", "-n", str(disk.mountpoint))
    match = re.search(r"^data\s+=\s+bsize=(\d+)\s+blocks=(\d+)", geometry, re.MULTILINE)
    return int(match.group(1)) * int(match.group(2)) if match else 0


def _grow(disk: Disk) -> None:
    """Online: file, loop device, file system. A file is never made smaller."""
    if disk.file.stat().st_size < disk.size:
        with disk.file.open("r+b") as stream:
            stream.truncate(disk.size)
    for loop in _loops_of(disk.file):
        run("losetup", "--set-capacity", loop)
    run("xfs_growfs", str(disk.mountpoint))
