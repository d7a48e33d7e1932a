"""What the sources of all engines hand to backup.py and logs.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class Trouble(Exception):
    """Why there is no backup, as a sentence for who asked for it."""


class Gap(Exception):
    """Logs that were not sent yet are gone."""


@dataclass
class Logged:
    """What an engine logged between two places."""

    files: list[Path]
    """Files that lie still, the oldest first."""
    place: Any
    """Where the next round goes on."""
    until: float
    """Unix seconds: all that was committed before is in the files of this and earlier rounds."""


@dataclass
class Directory:
    """Data that lies still until the backup is done."""

    path: Path
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass
class Stream:
    """Data that a program writes to its standard output."""

    name: str
    command: list[str]
    facts: dict[str, Any] = field(default_factory=dict)
