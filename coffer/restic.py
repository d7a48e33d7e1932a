"""restic on the control plane's own host, where it reaches the storage without the gateway."""

import json
import os
import subprocess
from typing import Any

from coffer.errors import BadRequest

PATIENCE = 60
"""Seconds in which a look at a repository must have ended."""


def environment(place: str, key: str, rclone_config: str) -> dict[str, str]:
    """How restic opens the repository at `place`, as rclone names it."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "RESTIC_REPOSITORY": f"rclone:{place}",
        "RESTIC_PASSWORD": key,
        "RCLONE_CONFIG": rclone_config,
    }


def look(told: dict[str, str], snapshot: str) -> tuple[dict[str, Any], int]:
    """A snapshot as restic lists it, and the bytes that a restore of it brings back.

    Raises:
        BadRequest: it cannot be read with what `environment` told, and why.
    """
    rows = _ask(told, "snapshots", snapshot)
    if not rows:
        raise BadRequest(f"restore_from.remote_location: there is no snapshot {snapshot}")
    return rows[0], int(_ask(told, "stats", "--mode", "restore-size", snapshot)["total_size"])


def _ask(told: dict[str, str], *arguments: str) -> Any:
    command = ["restic", "--json", "--no-lock", "--no-cache", *arguments]
    try:
        done = subprocess.run(
            command, env=told, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        raise BadRequest(
            f"restore_from.remote_location: the storage did not answer within {PATIENCE} s"
        ) from None
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise BadRequest(
            f"restore_from: it cannot be read: {lines[-1] if lines else 'restic gave no reason'}"
        )
    return json.loads(done.stdout)
