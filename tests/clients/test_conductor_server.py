"""The conductor as gunicorn serves it: its certificate, and who stalls."""

import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.clients.service import BIN, REPOSITORY, Service, free_port


def renew(home: Path) -> str:
    """A new key and certificate in place of what was there; the certificate."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-subj", "/CN=localhost", "-keyout", home / "c.key", "-out", home / "c.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    return (home / "c.crt").read_text()


def serves(port: int, certificate: str) -> bool:
    """Whether it does within half a minute."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if ssl.get_server_certificate(("127.0.0.1", port), timeout=5) == certificate:
                return True
        except OSError:
            pass
        time.sleep(0.1)
    return False


@contextmanager
def conductor(home: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Served with the certificate in `home`."""
    service = Service(home)
    command = [
        f"{BIN}/gunicorn", "--config", "python:api.conductor_server", "--worker-class", "gthread",
        "--bind", f"127.0.0.1:{port}", "--certfile", str(home / "c.crt"),
        "--keyfile", str(home / "c.key"), "--threads", "8",
        "--no-control-socket", "api.main:conductor()",
    ]  # fmt: skip
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            command, env=service.environment, cwd=REPOSITORY, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def test_a_reload_takes_a_renewed_certificate(tmp_path: Path) -> None:
    first, port = renew(tmp_path), free_port()
    with conductor(tmp_path, port) as process:
        assert serves(port, first)
        second = renew(tmp_path)
        assert serves(port, first), "of the old process, until it is told"
        process.send_signal(signal.SIGHUP)
        assert serves(port, second)


def test_guests_that_stall_do_not_hold_up_others(tmp_path: Path) -> None:
    # given more guests than threads, each in the middle of its handshake
    certificate, port = renew(tmp_path), free_port()
    with conductor(tmp_path, port), ExitStack() as stalled:
        assert serves(port, certificate)
        for _ in range(9):
            each = stalled.enter_context(socket.create_connection(("127.0.0.1", port)))
            each.sendall(b"\x16\x03\x01\x02\x00")

        # then another one is served nevertheless
        assert serves(port, certificate)
