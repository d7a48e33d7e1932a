"""What there is to back up of a MariaDB: the stream of mariadb-backup, or a dump."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common import Stream
from server import SOCKET, Server, bounds

COUNTING = 60.0
"""Seconds that counting rows may take, each of the two times."""
SCRATCH = Path("/var/tmp/coffer-backup")  # noqa: S108 - root's, and removed before each use
# A handshake on a socket protects nothing, and takes a slow guest longer than the server waits.
LOGIN = ["--user=root", f"--socket={SOCKET}", "--skip-ssl"]
COPY = ["mariadb-backup", "--defaults-file=/etc/mysql/coffer.cnf", "--backup", "--stream=mbstream",
        *LOGIN, f"--target-dir={SCRATCH}"]  # fmt: skip
DUMP = ["mariadb-dump", "--no-defaults", *LOGIN, "--single-transaction", "--all-databases",
        "--routines", "--events", "--triggers", "--hex-blob", "--gtid", "--master-data=2",
        "--default-character-set=utf8mb4"]  # fmt: skip


def needed(_job: dict[str, Any]) -> int:
    """Bytes of the volume that the backup takes while it is made: both ways are streams."""
    return 0


@contextlib.contextmanager
def take(job: dict[str, Any]) -> Iterator[Stream]:
    """The data as it is when the stream ends."""
    before = Server().counts(COUNTING)
    SCRATCH.mkdir(mode=0o700)
    physical = job["method"] == "physical"
    data = Stream("backup.mbstream", COPY) if physical else Stream("dump.sql", DUMP)
    yield data
    data.facts["counts"] = bounds(before, Server().counts(COUNTING))


def release(_job: dict[str, Any]) -> None:
    """Take away what a backup left, whole or not."""
    shutil.rmtree(SCRATCH, ignore_errors=True)
