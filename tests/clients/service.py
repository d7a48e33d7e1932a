"""The service on loopback with a Redis and records of its own; its worker only pretends.

Everything runs in processes of its own, so that nothing of it is shared with other tests.
"""

import os
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
from cryptography.fernet import Fernet

BIN = Path(sys.executable).parent
REPOSITORY = Path(__file__).parents[2]
PROJECT = "p1"
COMMANDS = {
    "redis": 'redis-server --port 0 --unixsocket {home}/redis.sock --dir {home} --save ""',
    "api": f"{BIN}/gunicorn --worker-class gthread --workers {{workers}} --threads {{threads}}"
    " --keep-alive 75 --no-control-socket --bind {bind} api.main:api()",
    "pretending": f"{sys.executable} -m tests.clients.pretending_worker",
    "work": f"{sys.executable} -m worker.main work",
    "sweep": f"{sys.executable} -m worker.main sweep",
    "cron": f"{sys.executable} -m worker.main cron",
}
"""What it is made of, by name."""


class Service:
    """A running service and the tokens of its project."""

    def __init__(self, home: Path, more: str = "", redis_url: str = "") -> None:
        """`more` are further lines of its settings; `redis_url` is where another Redis serves."""
        self.home = home
        self.workers, self.threads = 1, 8
        self.root = f"http://127.0.0.1:{free_port()}"
        self.environment = {**os.environ, "COFFER_SETTINGS": str(home / "coffer.toml")}
        (home / "keys").write_text(Fernet.generate_key().decode())
        (home / "coffer.toml").write_text(
            f'database_url = "sqlite:///{home}/coffer.db"\n'
            f'redis_url = "{redis_url or f"unix://{home}/redis.sock"}"\n'
            f'key_file = "{home}/keys"\nrun_directory = "{home}/run"\n'
            f'ca_certificate = "{home}/ca.crt"\n{more}'
        )
        self._needs = ("api",) if redis_url else ("redis", "api")
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.manage("migrate")
        self.manage("datastore", "register", "mysql")
        self.tokens = {role: self.token(role) for role in ("admin", "member", "reader")}

    @property
    def url(self) -> str:
        """What a service catalogue says."""
        return f"{self.root}/v1.0/{PROJECT}"

    def manage(self, *arguments: str) -> str:
        """coffer-manage, as on the service's own host."""
        command = [str(BIN / "coffer-manage"), *arguments]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=60, check=True
        )
        return done.stdout

    def token(self, role: str, project: str = PROJECT) -> str:
        """A new token."""
        return self.manage("token", "create", role, "--project", project, "--role", role).strip()

    @contextmanager
    def running(self, workers: Iterable[str] = ("pretending",)) -> Iterator["Service"]:
        """Redis, API and what works, as `start` knows it; Redis, which all need, ends last."""
        try:
            for name in (*self._needs, *workers):
                self.start(name)
            self.wait()
            if "redis" in self._needs:
                assert (self.home / "redis.sock").exists(), (self.home / "log-redis").read_text()
            yield self
        finally:
            hung = [name for name in reversed(self._processes) if not self._stop(name)]
            assert not hung, f"did not end when told to: {hung}"

    def _stop(self, name: str) -> bool:
        """Whether it ended when it was told to; nothing is left of it either way."""
        process = self._processes[name]
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill(name)
            return False
        return True

    def start(self, name: str) -> None:
        """Start one of its processes: a key of `COMMANDS`, perhaps numbered: `work 2`."""
        line = COMMANDS[name.partition(" ")[0]].format(
            home=self.home, workers=self.workers, threads=self.threads, bind=self.root[7:]
        )
        with (self.home / f"log-{name}").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                shlex.split(line), env=self.environment, cwd=REPOSITORY, stdout=log, stderr=log
            )

    def kill(self, name: str) -> None:
        """kill -9, with its children."""
        process = self._processes[name]
        for each in (*psutil.Process(process.pid).children(recursive=True), process):
            each.kill()
        process.wait()

    def wait(self) -> None:
        """Until the API answers, which it does without Redis too."""
        deadline = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"{self.root}/healthcheck", timeout=5)  # noqa: S310
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return


def free_port() -> int:
    """A TCP port of loopback that nobody has right now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would point a client somewhere else."""
    gone = ("OS_", "COFFER_", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
    return {key: value for key, value in environment.items() if not key.startswith(gone)}
