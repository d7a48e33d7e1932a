"""The conductor as gunicorn serves it: its certificate, and guests that do not go on."""

import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.clients.service import BIN, REPOSITORY, Service, free_port

CONNECTIONS = 6


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
def conductor(home: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """As the role starts it, but for how long a guest may say nothing; its port."""
    service, port = Service(home), free_port()
    command = [
        f"{BIN}/gunicorn", "--worker-class", "api.conductor_server.ConductorWorker",
        "--keep-alive", "3", "--timeout", "3", "--worker-connections", str(CONNECTIONS),
        "--bind", f"127.0.0.1:{port}", "--certfile", str(home / "c.crt"),
        "--keyfile", str(home / "c.key"), "--no-control-socket", "--graceful-timeout", "5",
        "api.main:conductor()",
    ]  # fmt: skip
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            command, env=service.environment, cwd=REPOSITORY, stdout=log, stderr=log
        )
    try:
        yield process, port
    finally:
        process.terminate()
        process.wait(20)


def test_a_reload_takes_a_renewed_certificate(tmp_path: Path) -> None:
    first = renew(tmp_path)
    with conductor(tmp_path) as (process, port):
        assert serves(port, first)
        second = renew(tmp_path)
        assert serves(port, first), "of the old process, until it is told"
        process.send_signal(signal.SIGHUP)
        assert serves(port, second)


def silent(port: int) -> ssl.SSLSocket:
    """A guest that connects and says nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=30))


def test_who_says_nothing_keeps_nobody_out(tmp_path: Path) -> None:
    # given guests that say nothing, or have begun to and do not go on
    certificate = renew(tmp_path)
    with conductor(tmp_path) as (_, port):
        assert serves(port, certificate)
        mute, slow = silent(port), silent(port)
        slow.sendall(b"POST /v1/reports HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        # then another one is answered, once theirs are closed
        with silent(port) as other:
            other.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert other.recv(100).startswith(b"HTTP/1.1 ")
        assert mute.recv(1) == b""
        mute.close()
        slow.close()
        assert b"Traceback" not in (tmp_path / "log").read_bytes()


def test_guests_that_stall_do_not_hold_up_others(tmp_path: Path) -> None:
    # given more guests than threads, each in the middle of its handshake
    certificate = renew(tmp_path)
    with conductor(tmp_path) as (_, port), ExitStack() as stalled:
        assert serves(port, certificate)
        for _ in range(3):
            each = stalled.enter_context(socket.create_connection(("127.0.0.1", port)))
            each.sendall(b"\x16\x03\x01\x02\x00")
        # then another one is served nevertheless
        assert serves(port, certificate)


def test_more_than_can_be_held_are_sent_away(tmp_path: Path) -> None:
    certificate = renew(tmp_path)
    with conductor(tmp_path) as (_, port), ExitStack() as mute:
        assert serves(port, certificate)
        for _ in range(CONNECTIONS):
            mute.enter_context(silent(port))
        # when there is one more, then it is not answered
        with silent(port) as other, suppress(OSError):
            other.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert other.recv(1) == b""
        # until those that say nothing are closed
        wait_for_answer(port)


def wait_for_answer(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(OSError), silent(port) as guest:
            guest.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            if guest.recv(100).startswith(b"HTTP/1.1 "):
                return
        time.sleep(0.1)
    raise TimeoutError
