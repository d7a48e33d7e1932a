"""Directories that root alone may enter.

Guests' files are there with their own owners and modes: whoever could reach them would read what a
guest lets all its users read, and run what root of a guest lets run as root.
"""

from __future__ import annotations

from pathlib import Path
from stat import S_IMODE

from .settings import Settings
from .steps import Step

MODE = 0o700


def private_steps(settings: Settings) -> list[Step]:
    """The provider's state with the guests' disks, and the images. Hold the host's lock."""
    return [_private(path) for path in (settings.state_dir, settings.image_dir)]


def _private(path: Path) -> Step:
    return Step(f"close {path.name}", lambda: _is_private(path), lambda: _close(path))


def _is_private(path: Path) -> bool:
    return path.exists() and S_IMODE(path.stat().st_mode) == MODE


def _close(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(MODE)
