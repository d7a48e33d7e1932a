"""Wait until a guest's SSH server proves that it is the one that we made."""

from __future__ import annotations

import socket
import time

from .command import attempt

PORT = 22
PAUSE = 0.02


def wait(address: str, host_key_public: str | None, timeout: float) -> None:
    """Return when the server answers with this host key; TimeoutError or ValueError if not."""
    deadline = time.monotonic() + timeout
    while not _greets(address):
        if time.monotonic() > deadline:
            raise TimeoutError(f"no SSH server answered on {address} within {timeout:g} s")
        time.sleep(PAUSE)
    if host_key_public and not _proves(address, host_key_public):
        raise ValueError(f"the SSH server on {address} does not hold the instance's host key")


def _greets(address: str) -> bool:
    try:
        with socket.create_connection((address, PORT), timeout=1) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _proves(address: str, host_key_public: str) -> bool:
    """ssh-keyscan checks the server's signature, so a copied public key does not pass."""
    kind, key = host_key_public.split()[:2]
    scanned = attempt("ssh-keyscan", "-T", "5", "-t", kind.removeprefix("ssh-"), address) or ""
    return any(line.split()[1:3] == [kind, key] for line in scanned.splitlines())
