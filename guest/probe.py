"""Runs the engine's probe and makes sense of whatever comes out of it."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_OUTPUT = 4 * 1024 * 1024
"""Bytes; a probe that prints more is broken."""
MAX_MESSAGE = 500
STATES = ("HEALTHY", "SHUTDOWN", "FAILED", "BLOCKED")
_FIELDS: dict[str, type | tuple[type, ...]] = {
    "version": str,
    "uptime": (int, float),
    "connections": int,
    "databases": list,
    "users": list,
    "message": str,
    "replication": dict,
}


def run(argv: list[str], timeout: float) -> dict[str, Any]:
    """Run the probe for at most `timeout` seconds. Whatever goes wrong becomes a state.

    Returns:
        What the probe saw: `state` always, the other fields as the engine's role gives them.
    """
    try:
        with subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            output = _read(process, time.monotonic() + timeout)
    except OSError as error:
        return _failed(f"the probe does not run: {error.strerror}")
    if output is None:
        return {"state": "BLOCKED", "message": f"the probe gave no answer in {timeout:g} s"}
    return _understand(output, process.returncode)


def _read(process: subprocess.Popen[bytes], deadline: float) -> bytes | None:
    """All output, or None if it took too long; the probe and its children are gone then."""
    output = _read_until(process, deadline)
    if process.poll() is None:
        # Its children too, or one of them would keep the pipe open.
        os.killpg(process.pid, signal.SIGKILL)
    return output


def _read_until(process: subprocess.Popen[bytes], deadline: float) -> bytes | None:
    assert process.stdout is not None  # noqa: S101 - opened as a pipe above
    output = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while len(output) <= MAX_OUTPUT:
            if not selector.select(_left(deadline)):
                return None
            chunk = os.read(process.stdout.fileno(), 65536)
            if not chunk:
                return bytes(output) if _ended(process, deadline) else None
            output += chunk
    return bytes(output)


def _ended(process: subprocess.Popen[bytes], deadline: float) -> bool:
    try:
        process.wait(_left(deadline))
    except subprocess.TimeoutExpired:
        return False
    return True


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


def _understand(output: bytes, returncode: int) -> dict[str, Any]:
    if len(output) > MAX_OUTPUT:
        return _failed(f"the probe printed more than {MAX_OUTPUT} bytes")
    try:
        said = json.loads(output)
    except (ValueError, RecursionError):
        return _failed(f"the probe ended with {returncode} and said: {_excerpt(output)}")
    if not isinstance(said, dict) or said.get("state") not in STATES:
        return _failed(f"the probe named no state: {_excerpt(output)}")
    known = {name: said[name] for name, kind in _FIELDS.items() if isinstance(said.get(name), kind)}
    if "message" in known:
        known["message"] = known["message"][:MAX_MESSAGE]
    return {"state": said["state"], **known}


def _excerpt(output: bytes) -> str:
    return " ".join(output.decode("utf-8", "replace").split())[:200] or "nothing"


def _failed(message: str) -> dict[str, Any]:
    return {"state": "FAILED", "message": message[:MAX_MESSAGE]}
