"""What the sources of all engines hand to backup.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class Trouble(Exception):
    """Why there is no backup, as a sentence for who asked for it."""


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
