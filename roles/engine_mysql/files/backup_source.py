"""What there is to back up of a MySQL: a clone of its data directory, or a dump."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql
from common import Directory, Stream, Trouble
from server import SOCKET, Server, bounds

COUNTING = 60.0
"""Seconds that counting rows may take, each of the two times."""
LOGS = ("binlog", ".backup")
DUMP = [
    "mysqldump", "--no-defaults", "--user=root", f"--socket={SOCKET}", "--single-transaction",
    "--all-databases", "--routines", "--events", "--triggers", "--hex-blob",
    "--set-gtid-purged=OFF", "--default-character-set=utf8mb4",
]  # fmt: skip


def needed(job: dict[str, Any]) -> int:
    """Bytes of the volume that the backup takes while it is made."""
    if job["method"] != "physical":
        return 0
    files = (path for path in Path(job["data"]).rglob("*") if path.is_file())
    sizes = (file.stat().st_blocks * 512 for file in files if "#innodb_redo" not in file.parts)
    return sum(sizes) + (64 << 20)


@contextlib.contextmanager
def take(job: dict[str, Any]) -> Iterator[Directory | Stream]:
    """The data as it is at one moment, until the backup is done."""
    server = Server()
    before = server.counts(COUNTING)
    data = _clone(server, job) if job["method"] == "physical" else Stream("dump.sql", DUMP)
    if isinstance(data, Directory):
        data.facts["counts"] = bounds(before, server.counts(COUNTING))
    yield data
    if isinstance(data, Stream):
        data.facts["counts"] = bounds(before, Server().counts(COUNTING))


def _clone(server: Server, job: dict[str, Any]) -> Directory:
    """The clone plugin's copy, which stops nobody."""
    _enable(server)
    work = Path(job["volume"]) / ".backup"
    work.mkdir(mode=0o700)
    shutil.chown(work, "mysql", "mysql")
    try:
        server.rows("CLONE LOCAL DATA DIRECTORY = %s", [str(work / "data")])
    except pymysql.MySQLError as error:
        raise Trouble(f"MySQL could not clone its data: {error.args[-1]}") from None
    return Directory(work / "data")


def _enable(server: Server) -> None:
    loaded = "SELECT COUNT(*) FROM information_schema.plugins WHERE plugin_name = 'clone'"
    if not server.one(loaded):
        server.rows("INSTALL PLUGIN clone SONAME 'mysql_clone.so'")


def release(job: dict[str, Any]) -> None:
    """Take away what a backup left, whole or not."""
    shutil.rmtree(Path(job["volume"]) / ".backup", ignore_errors=True)
