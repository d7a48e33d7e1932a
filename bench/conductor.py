"""How the conductor takes reports: each guest over its own kept TLS connection, while reads go on.

    .venv/bin/python bench/conductor.py [--agents 10000] [--interval 10] [--seconds 60] [--reads 20]
                                        [--restart]

Serves conductor and API from this checkout, on SQLite and a Redis of its own. A latency is counted
from when a report (or a read) was due. With --restart conductor and Redis are killed in the middle
and started again. Prints rates, milliseconds, and the conductor's memory.
"""

import argparse
import asyncio
import json
import os
import random
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))
from load import fill, percentile

from coffer.database import database
from coffer.models import Instance
from coffer.secrets import hash_token
from tests.clients.service import BIN, REPOSITORY, Service, free_port

CONNECTIONS = 20_000
RETRY = 0.5
"""Seconds after which an agent that was not heard tries again."""


@dataclass
class Agents:
    """Guests that report, and what became of that."""

    port: int
    authority: str
    took: list[float] = field(default_factory=list)
    failed: int = 0

    async def report(self, key: str, interval: float, ends: float) -> None:
        """One guest, from a moment of its own on."""
        trust = ssl.create_default_context(cafile=self.authority)
        due = time.perf_counter() + random.uniform(0, interval)
        channel, sequence = None, 0
        while due < ends:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            sequence += 1
            while time.perf_counter() < ends:
                try:
                    channel = channel or await asyncio.open_connection(
                        "127.0.0.1", self.port, ssl=trust, server_hostname="localhost"
                    )
                    await _post(channel, key, sequence)
                    break
                except (OSError, asyncio.IncompleteReadError, AssertionError):
                    self.failed += 1
                    channel = None
                    await asyncio.sleep(RETRY)
            self.took.append(time.perf_counter() - due)
            due += interval


async def _post(
    channel: tuple[asyncio.StreamReader, asyncio.StreamWriter], key: str, sequence: int
) -> None:
    reader, writer = channel
    volume = {"size": 1 << 30, "used": 1 << 28}
    told = {"protocol": 1, "instance_id": key, "sequence": sequence, "state": "HEALTHY"}
    body = json.dumps(told | {"volume": volume, "connections": 3, "uptime": 1.0}).encode()
    head = (
        f"POST /conductor/v1/reports HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    assert answer.startswith(b"HTTP/1.1 204"), answer


async def read(url: str, path: str, token: str, rate: float, ends: float) -> list[float]:
    """Seconds that reads took, one after the other, each from when it was due."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    request = f"GET {parts.path}{path} HTTP/1.1\r\nHost: {parts.netloc}\r\nX-Auth-Token: {token}"
    found: list[float] = []
    due = time.perf_counter()
    while due < ends:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        writer.write(f"{request}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split()[0]))
        found.append(time.perf_counter() - due)
        due += 1 / rate
    writer.close()
    return found


class Server:
    """The conductor as the control plane runs it."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.port = free_port()
        self.certificate = str(service.home / "conductor.crt")
        key = str(service.home / "conductor.key")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
             "subjectAltName=DNS:localhost", "-keyout", key, "-out", self.certificate],
            check=True, capture_output=True,
        )  # fmt: skip
        self._command = (
            f"{BIN}/gunicorn --worker-class gthread --workers 1 --threads 8 --keep-alive 30"
            f" --worker-connections {CONNECTIONS} --no-control-socket"
            f" --bind 127.0.0.1:{self.port} --certfile {self.certificate} --keyfile {key}"
            " api.main:conductor()"
        )

    def start(self) -> None:
        """Start it; `kill` ends it at once."""
        log = (self._service.home / "conductor.log").open("ab")
        self.process = subprocess.Popen(
            self._command.split(),
            env=self._service.environment,
            cwd=REPOSITORY,
            stdout=log,
            stderr=log,
        )

    def kill(self) -> None:
        """With all that it is made of."""
        for each in (*psutil.Process(self.process.pid).children(), self.process):
            each.kill()
        self.process.wait()

    def memory(self) -> float:
        """MiB, of all its processes."""
        root = psutil.Process(self.process.pid)
        return sum(each.memory_info().rss for each in (root, *root.children())) / (1 << 20)

    @contextmanager
    def running(self) -> Iterator["Server"]:
        """Until the end."""
        self.start()
        try:
            yield self
        finally:
            self.kill()


async def restart(server: Server, service: Service, after: float) -> None:
    """kill -9 of conductor and Redis, and both again; the data of Redis is gone."""
    await asyncio.sleep(after)
    server.kill()
    next(each for each in psutil.process_iter(["cmdline"]) if _is_redis(each, service.home)).kill()
    line = ["redis-server", "--port", "0", "--unixsocket", f"{service.home}/redis.sock",
            "--dir", str(service.home), "--save", ""]  # fmt: skip
    subprocess.Popen(line, stdout=subprocess.DEVNULL)
    server.start()


def _is_redis(process: psutil.Process, home: Path) -> bool:
    return "redis-server" in " ".join(process.info["cmdline"] or []) and any(
        str(home) in word for word in process.info["cmdline"]
    )


async def measure(service: Service, server: Server, given: argparse.Namespace, middle: str) -> None:
    """All guests, all reads, and one line of each."""
    with database.connection_context():
        ids = [row.id for row in Instance.select(Instance.id)]
    agents = Agents(server.port, server.certificate)
    began = time.perf_counter()
    ends = began + given.interval + given.seconds
    token, path = service.tokens["member"], f"/instances/{middle}"
    reads = asyncio.create_task(read(service.url, path, token, given.reads, ends))
    work = [agents.report(key, given.interval, ends) for key in ids]
    if given.restart:
        work.append(restart(server, service, given.interval + given.seconds / 2))
    await asyncio.gather(*work)
    took, seen = agents.took[given.agents :], await reads
    print(f"{'':8} {'per s':>7} {'p50 ms':>7} {'p99 ms':>7} {'most':>7}")
    for name, values in (("reports", took), ("reads", seen)):
        shown = " ".join(f"{percentile(values, share):7.1f}" for share in (0.5, 0.99, 1))
        print(f"{name:8} {len(values) / given.seconds:7.0f} {shown}")
    print(
        f"{agents.failed} tries failed, conductor {server.memory():.0f} MiB, "
        f"load {os.getloadavg()[0]:.1f}"
    )


def main() -> None:
    """Serve, fill, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--agents", type=int, default=10_000)
    parser.add_argument("--interval", type=float, default=10, help="seconds between two reports")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--reads", type=float, default=20, help="a second")
    parser.add_argument("--restart", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        service = Service(Path(home))
        with service.running(work=False):
            middle = fill(service, given.agents)
            with database.connection_context(), database.atomic():
                for row in Instance.select(Instance.id):
                    Instance.update(guest_token_hash=hash_token(row.id)).where(
                        Instance.id == row.id
                    ).execute()
            with Server(service).running() as server:
                asyncio.run(measure(service, server, given, middle))


if __name__ == "__main__":
    main()
