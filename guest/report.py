"""Puts a report together: what the probe saw and what the guest knows itself."""

from __future__ import annotations

import json
import os
import time

from guest import VERSION
from guest.diagnostics import diagnostics
from guest.files import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from guest.config import Config

PROTOCOL = 1
BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Reporter:
    """Numbers the reports of one agent; newer ones have the higher `sequence`."""

    def __init__(self, config: Config, time_ns: Callable[[], int] = time.time_ns) -> None:
        self._config = config
        self._time_ns = time_ns
        self._sequence = 0

    def report(self, observation: dict[str, Any]) -> dict[str, Any]:
        """The document for the conductor. `at` in unix seconds, sizes in bytes."""
        now = self._time_ns()
        # A clock that was set back must not make a new report look old.
        self._sequence = max(self._sequence + 1, now)
        return {
            "protocol": PROTOCOL,
            "instance_id": self._config.instance_id,
            "sequence": self._sequence,
            "at": now / 1e9,
            "agent_version": VERSION,
            "boot_id": read(BOOT_ID),
            "volume": _volume(self._config.data_directory),
            "pending_packages": _number(read(self._config.pending_packages_file)),
            "diagnostics": diagnostics(),
            "logs": _document(read(self._config.logs_file)),
            "version": None,
            "uptime": None,
            "connections": None,
            "databases": None,
            "users": None,
            "replication": None,
            **observation,
        }


def _volume(path: str) -> dict[str, int] | None:
    try:
        usage = os.statvfs(path)
    except OSError:
        return None
    size = usage.f_blocks * usage.f_frsize
    return {"size": size, "used": size - usage.f_bfree * usage.f_frsize}


def _document(text: str | None) -> dict[str, Any] | None:
    """A JSON object; None for anything else."""
    try:
        found = json.loads(text or "")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None
