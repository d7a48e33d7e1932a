"""How the conductor takes reports: each guest over its own kept TLS connection, while reads go on.

    .venv/bin/python bench/conductor.py [--agents 10000] [--interval 10] [--seconds 60] [--reads 20]
                                        [--operations 0] [--restart]

Serves conductor, API, workers and sweeper from this checkout, on SQLite and a Redis of its own. A
latency is counted from when a report (or a read) was due. With --operations so many instances are
deleted at once, before the middle: real playbooks for guests that never were (root). With
--restart conductor, API and Redis are killed in the middle and started again; what overlaps the
time until all guests have been heard again is shown apart. Prints what the bars ask, and exits with
1 if one is missed.
"""

import argparse
import asyncio
import gc
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))
from agents import Agents, Api, Took
from load import URGENCY, come_first, fill, percentile

from coffer.database import database
from coffer.models import Instance
from coffer.redis_urls import connect_redis
from coffer.secrets import hash_token
from coffer.settings import load_settings
from tests.clients.service import BIN, COMMANDS, REPOSITORY, Service, free_port

CONNECTIONS = 20_000
CONNECTING = 200
"""Guests that connect for the first time in a second."""
BARS = {"reports": 50.0, "reads": 20.0}
"""Milliseconds of the 99th percentile."""
WORKERS = ("work 1", "work 2", "work 3", "sweep", "cron")
"""As many as an installation has by default."""
PROVIDER = """
ca_key = "{home}/ca.key"
[provider_settings]
compute_local_prefix = "coffb"
compute_local_bridge = "coffbbr"
compute_local_subnet = "10.79.250.0/24"
compute_local_state_dir = "{home}/state"
"""


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
            f"nice -n {URGENCY // 2} {BIN}/gunicorn --workers 2"
            " --worker-class api.conductor_server.ConductorWorker"
            f" --keep-alive 30 --worker-connections {CONNECTIONS} --no-control-socket"
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
        for each in self._all():
            each.kill()
        self.process.wait()

    def _all(self) -> list[psutil.Process]:
        root = psutil.Process(self.process.pid)
        return [*root.children(), root]

    def memory(self) -> float:
        """MiB, of all its processes."""
        return sum(each.memory_info().rss for each in self._all()) / (1 << 20)

    def processor(self) -> float:
        """Seconds of processor time that it has used since it was started."""
        return sum(sum(each.cpu_times()[:2]) for each in self._all())

    def _listens(self) -> bool:
        assert self.process.poll() is None, "see conductor.log"
        with socket.socket() as plain:
            return plain.connect_ex(("127.0.0.1", self.port)) == 0

    @contextmanager
    def running(self) -> Iterator["Server"]:
        """Until the end, from when it listens."""
        self.start()
        try:
            while not self._listens():
                time.sleep(0.05)
            yield self
        finally:
            self.kill()


@dataclass
class Outage:
    """From the kill until each guest has been heard again."""

    began: float = float("inf")
    ended: float = float("inf")

    async def happen(self, server: Server, service: Service, after: float) -> None:
        """kill -9 of conductor, API and Redis, and all again; the data of Redis is gone."""
        await asyncio.sleep(after)
        self.began = time.perf_counter()
        server.kill()
        for name in ("api", "redis"):
            service.kill(name)
            service.start(name)
        server.start()

    def settle(self, reports: Took, interval: float) -> None:
        """A guest is heard again when the report that was due at the kill or next is answered."""
        hit = [done for due, done in reports.answers if self._hits(due, interval)]
        self.ended = max(hit, default=self.began)

    def _hits(self, due: float, interval: float) -> bool:
        return self.began - interval <= due <= self.began + interval

    def overlaps(self, due: float, done: float) -> bool:
        return due <= self.ended and done >= self.began


@dataclass
class Figures:
    """Of reports or reads, apart from what the outage hit."""

    name: str
    took: Took
    outage: Outage
    since: float
    """Before it guests connect one after the other."""

    def show(self, seconds: float) -> bool:
        """Print a line, and one of the outage; whether the bar is held."""
        rows = [row for row in self.took.answers if row[0] >= self.since]
        quiet = [done - due for due, done in rows if not self.outage.overlaps(due, done)]
        hit = [done - due for due, done in rows if self.outage.overlaps(due, done)]
        failed = [at for at in self.took.failed if not self.outage.overlaps(at, at)]
        held = percentile(quiet, 0.99) < BARS[self.name] and not failed and not self.took.lost
        note = f"bar {BARS[self.name]:.0f} ms: {'held' if held else 'MISSED'}"
        _line(self.name, len(rows) / seconds, quiet, len(failed), note)
        if hit:
            _line("  outage", len(hit), hit, len(self.took.failed) - len(failed), "(number)")
        if self.took.lost:
            print(f"  {len(self.took.lost)} were never answered")
        return held


def _line(name: str, rate: float, values: list[float], failed: int, note: str) -> None:
    shown = " ".join(f"{percentile(values, share):8.1f}" for share in (0.5, 0.99, 1))
    print(f"{name:9} {rate:7.0f} {shown} {failed:7}  {note}")


async def measure(service: Service, server: Server, given: argparse.Namespace, middle: str) -> bool:
    """All guests, all reads, all operations; whether all bars are held."""
    with database.connection_context():
        ids = [row.id for row in Instance.select(Instance.id)]
    gone = [key for key in ids if key != middle][: given.operations]
    trust = ssl.create_default_context(cafile=server.certificate)  # one: each takes half a MiB
    agents, outage = Agents(server.port, trust), Outage()
    api = Api(service.url, service.tokens["member"])
    began, settled = time.perf_counter(), max(given.interval, given.agents / CONNECTING)
    ends = began + settled + given.seconds
    work = [agents.report(key, given.interval, settled, ends) for key in ids if key not in gone]
    work.append(api.read(f"/instances/{middle}", given.reads, ends))
    if given.restart:
        work.append(outage.happen(server, service, settled + given.seconds / 2))
    before = settled + given.seconds / 4
    deletions = [asyncio.create_task(api.delete(key, before)) for key in gone]
    used = asyncio.create_task(_processor(server, agents, settled, given.seconds))
    await asyncio.gather(*work)
    operations = await asyncio.gather(*deletions)
    if given.restart:
        outage.settle(agents.took, given.interval)
    lost = missing(agents.sent)
    since = began + settled
    print(f"{'':9} {'per s':>7} {'p50 ms':>8} {'p99 ms':>8} {'most':>8} {'failed':>7}")
    held = [
        Figures("reports", agents.took, outage, since).show(given.seconds),
        Figures("reads", api.took, outage, since).show(given.seconds),
        not lost,
        all(state == "succeeded" for state, _ in operations),
    ]
    for state, seconds in operations:
        print(f"operation: {state} after {seconds:.1f} s")
    if given.restart:
        print(f"all guests heard again {outage.ended - outage.began:.1f} s after the kill")
    print(
        f"{lost} guests' last report is not in Redis, conductor {server.memory():.0f} MiB, "
        f"{await used}, load {os.getloadavg()[0]:.1f}"
    )
    return all(held)


async def _processor(server: Server, agents: Agents, settled: float, seconds: float) -> str:
    """What a report takes of the processor, there and here, while nothing else happens.

    By the reports that were answered: of those that wait for more processor nothing is known.
    """
    rows = []
    for pause in (settled, seconds / 4):
        await asyncio.sleep(pause)
        rows.append((server.processor(), time.process_time(), len(agents.took.answers)))
    conductor, here, reports = (after - before for before, after in zip(*rows, strict=True))
    there, here = (1000 * each / max(1, reports) for each in (conductor, here))
    return f"{there:.2f} ms of processor time a report (its guest {here:.2f})"


def missing(sent: dict[str, int]) -> int:
    """Guests of whom the service does not know the last report."""
    redis = connect_redis(load_settings().redis_url)
    known = redis.mget([f"coffer:guests:report:{key}" for key in sent])
    numbers = [json.loads(text)["sequence"] if text else 0 for text in known]
    return sum(number != last for number, last in zip(numbers, sent.values(), strict=True))


def main() -> None:
    """Serve, fill, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--agents", type=int, default=10_000)
    parser.add_argument("--interval", type=float, default=10, help="seconds between two reports")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--reads", type=float, default=20, help="a second")
    parser.add_argument("--operations", type=int, default=0, help="at once")
    parser.add_argument("--restart", action="store_true")
    given = parser.parse_args()
    come_first()
    for name in ("work", "sweep", "cron"):
        COMMANDS[name] = f"nice -n {URGENCY} {COMMANDS[name]}"
    gc.disable()  # it would stop all guests at once for half a second, now and then
    with tempfile.TemporaryDirectory() as home:
        service = Service(Path(home), PROVIDER.format(home=home))
        service.workers, service.threads = 4, 2
        with service.running(WORKERS if given.operations else ("sweep", "cron")):
            middle = fill(service, given.agents)
            with database.connection_context(), database.atomic():
                for row in Instance.select(Instance.id):
                    Instance.update(guest_token_hash=hash_token(row.id)).where(
                        Instance.id == row.id
                    ).execute()
            with Server(service).running() as server:
                held = asyncio.run(measure(service, server, given, middle))
    sys.exit(not held)


if __name__ == "__main__":
    main()
