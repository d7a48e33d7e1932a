"""Binary logs that can leave the guest: closed ones, which the server changes no more."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from binlog import is_empty
from common import Gap, Logged
from server import Server

SCARCE = 0.2
"""Share of the volume: with less of it free, logs that were sent do not wait for their expiry."""


def begin(_job: dict[str, Any]) -> tuple[str, float]:
    """The log that a chain begins with; all that is committed from that moment on is in it."""
    server = Server()
    server.rows("FLUSH LOCAL BINARY LOGS")
    return _names(server)[-1], time.time()


def collect(job: dict[str, Any], place: str, _spool: Path) -> Logged:
    """Logs from `place` on. The one that is being written is closed first, if anything is in it.

    Raises:
        Gap: the server has removed it.
    """
    server = Server()
    until = time.time()
    # Listing waits for what is being written, so all that was committed before is in these.
    names = _names(server)
    if not is_empty(_directory(job) / names[-1]):
        server.rows("FLUSH LOCAL BINARY LOGS")
        names = _names(server)
    if place not in names:
        raise Gap(f"the binary log {place} is gone")
    files = [_directory(job) / name for name in names[names.index(place) : -1]]
    return Logged(files, names[-1], until)


def spare(job: dict[str, Any], place: str) -> None:
    """Remove logs that were sent, when room on the volume is scarce."""
    volume = os.statvfs(job["volume"])
    if volume.f_bavail < SCARCE * volume.f_blocks:
        Server().rows("PURGE BINARY LOGS TO %s", [place])


def _names(server: Server) -> list[str]:
    return [str(row[0]) for row in server.rows("SHOW BINARY LOGS")]


def _directory(job: dict[str, Any]) -> Path:
    return Path(job["volume"]) / "binlog"
