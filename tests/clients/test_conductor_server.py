"""The conductor as gunicorn serves it: its certificate."""

import signal
import ssl
import subprocess
import time
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


def test_a_reload_takes_a_renewed_certificate(tmp_path: Path) -> None:
    service, port = Service(tmp_path), free_port()
    first = renew(tmp_path)
    command = [
        f"{BIN}/gunicorn", "--config", "python:api.conductor_server", "--worker-class", "gthread",
        "--bind", f"127.0.0.1:{port}", "--certfile", str(tmp_path / "c.crt"),
        "--keyfile", str(tmp_path / "c.key"), "--no-control-socket", "api.main:conductor()",
    ]  # fmt: skip
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            command, env=service.environment, cwd=REPOSITORY, stdout=log, stderr=log
        )
    try:
        assert serves(port, first)
        second = renew(tmp_path)
        assert serves(port, first), "of the old process, until it is told"
        process.send_signal(signal.SIGHUP)
        assert serves(port, second)
    finally:
        process.terminate()
        process.wait(20)
