"""What there is to back up of a MongoDB: a copy of its files that shares their blocks.

The server is locked for the moment of that copy; a lock outlives who asked for it, so `release`
also takes away one that a backup that died has left.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, "/usr/local/lib/coffer/mongodb")
from coffer_mongodb import CommandError, Connection
from common import Directory, Trouble

PATIENCE = 120.0
"""Seconds that flushing may take."""
COUNTING = 0.3
"""Seconds that counting may take while nobody can write."""
OURS = ("admin", "config", "local", "coffer")
LEFT_OUT = ("mongod.lock", "diagnostic.data")


def needed(_job: dict[str, Any]) -> int:
    """Bytes of the volume that the backup takes while it is made: blocks are shared, but what is
    written meanwhile is written beside them."""
    return 64 << 20


@contextlib.contextmanager
def take(job: dict[str, Any]) -> Iterator[Directory]:
    """The files as they are at one moment, until the backup is done."""
    work = Path(job["volume"]) / ".backup"
    work.mkdir(mode=0o700)
    _require_shared_blocks(Path(job["data"]), work)
    server = Connection(job["port"], "root", timeout=PATIENCE)
    server.command("admin", {"fsync": 1})  # so that little is left to flush under the lock
    began = time.monotonic()
    server.command("admin", {"fsync": 1, "lock": True})
    try:
        _copy(Path(job["data"]), work / "data")
        counts = _counts(server)
        position = _position(server)
    finally:
        server.command("admin", {"fsyncUnlock": 1})
    locked = round(time.monotonic() - began, 3)
    facts = {"counts": counts, "position": position, "locked_seconds": locked}
    yield Directory(work / "data", facts)


def _require_shared_blocks(data: Path, work: Path) -> None:
    """Copying blocks under the lock would stop writers for too long."""
    probe = ["cp", "--reflink=always", str(data / "WiredTiger"), str(work / "probe")]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        raise Trouble("the volume's file system cannot share blocks: it must be XFS with reflinks")


def _copy(data: Path, target: Path) -> None:
    kept = [str(path) for path in data.iterdir() if path.name not in LEFT_OUT]
    target.mkdir(mode=0o700)
    command = ["cp", "-a", "--reflink=always", f"--target-directory={target}", *kept]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Trouble(f"the files could not be copied: {done.stderr.strip()[:300]}")


def _counts(server: Any) -> dict[str, list[int]]:
    """Documents by `database.collection`, from the server's own books, which the lock keeps."""
    ends = time.monotonic() + COUNTING
    found: dict[str, list[int]] = {}
    for database, name in collections(server):
        if time.monotonic() > ends:
            break
        number = int(server.command(database, {"count": name})["n"])
        found[f"{database}.{name}"] = [number, number]
    return found


def collections(server: Any) -> Iterator[tuple[str, str]]:
    """Databases and collections of users, by name."""
    listed = server.command("admin", {"listDatabases": 1, "nameOnly": True})["databases"]
    for database in sorted(each["name"] for each in listed):
        if database in OURS:
            continue
        body = {
            "listCollections": 1,
            "filter": {"type": "collection"},
            "cursor": {"batchSize": 10**6},
        }
        batch = server.command(database, body)["cursor"]["firstBatch"]
        for name in sorted(each["name"] for each in batch):
            if not name.startswith("system."):
                yield database, name


def _position(server: Any) -> list[int]:
    """Time and number of the oplog's last entry: where a point in time goes on from."""
    body = {"find": "oplog.rs", "sort": {"$natural": -1}, "limit": 1}
    batch = server.command("local", body)["cursor"]["firstBatch"]
    return [batch[0]["ts"].time, batch[0]["ts"].inc] if batch else []


def release(job: dict[str, Any]) -> None:
    """Unlock what a backup left locked, and take its copy away."""
    with contextlib.suppress(OSError, CommandError):
        server = Connection(job["port"], "root", timeout=20)
        while server.command("admin", {"currentOp": 1}).get("fsyncLock"):
            server.command("admin", {"fsyncUnlock": 1})
    shutil.rmtree(Path(job["volume"]) / ".backup", ignore_errors=True)
