"""Who builds an image: one run at a time, and a run that died holds nothing.

A build goes over many tasks, each a process of its own, so no file lock can span it. A claim
names the process that runs the play; when that is gone, the claim is free.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from .command import run
from .files import locked, read_text, remove_files, write_atomic
from .settings import Settings

SHELLS = {"sh", "dash", "bash", "sudo", "su", "doas"}
BUILDER = "builder"  # the name by which SSH knows its key
PAUSE = 0.5


def folder_of(settings: Settings, name: str) -> Path:
    """Keys and claim of the build of an image."""
    return settings.image_dir / ".build" / f"{settings.prefix}-{name}"


def take(settings: Settings, name: str, timeout: float) -> bool:
    """Wait for the claim; True when a dead run held it before and may have left a builder."""
    deadline = time.monotonic() + timeout
    while True:
        with locked(_lock(settings, name)):
            found = _holder(settings, name)
            if found is None or not _lives(found) or found == _run_of_ours():
                _write(settings, name)
                return found is not None
        if time.monotonic() > deadline:
            raise TimeoutError(f"another run has been building {name} for {timeout:g} s")
        time.sleep(PAUSE)


def release(settings: Settings, name: str) -> None:
    remove_files(folder_of(settings, name))


def _lock(settings: Settings, name: str) -> Path:
    return settings.image_dir / ".build" / f"{settings.prefix}-{name}.lock"


def _holder(settings: Settings, name: str) -> dict[str, Any] | None:
    text = read_text(folder_of(settings, name) / "claim.json")
    return json.loads(text) if text else None


def _write(settings: Settings, name: str) -> None:
    """A fresh pair of keys for the builder's server and one for us."""
    folder = folder_of(settings, name)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_atomic(folder / "claim.json", json.dumps(_run_of_ours()))
    for key in ("host_key", "login_key"):
        for path in (folder / key, folder / f"{key}.pub"):
            path.unlink(missing_ok=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / key))
    public = (folder / "host_key.pub").read_text()
    write_atomic(folder / "known_hosts", f"{BUILDER} {public}")


def _run_of_ours() -> dict[str, Any]:
    """The process that runs the play: above this module are shells, then a worker, then it."""
    pid = os.getppid()
    while _command(pid) in SHELLS:
        pid = _parent(pid)
    return _identity(_parent(pid))


def _identity(pid: int) -> dict[str, Any]:
    """A pid alone could be somebody else's by now."""
    return {"pid": pid, "started": _stat(pid)[19]}


def _lives(holder: dict[str, Any]) -> bool:
    try:
        return _identity(holder["pid"]) == holder
    except OSError:
        return False


def _command(pid: int) -> str:
    return Path("/proc", str(pid), "comm").read_text().strip()


def _parent(pid: int) -> int:
    return int(_stat(pid)[1])


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat after the command's name, which may hold anything."""
    return Path("/proc", str(pid), "stat").read_text().rpartition(") ")[2].split()
