"""How fast reads are answered while nobody waits for anybody: 200 requests a second, open loop.

    .venv/bin/python bench/api.py [--rate 200] [--seconds 10] [--instances 10 1000 10000]
                                  [--workers 2] [--threads 2]

Serves the API from this checkout, on SQLite and a Redis of its own, with reports of
every guest, and asks on time whether or not earlier answers have come: a latency is counted from
when the request was due. Who asks comes first on the processor (as root): people have processors of
their own. Prints milliseconds, and the machine's load before and after.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[1]))
import uvloop
from load import come_first, fill, percentile

from tests.clients.service import Service

CONNECTIONS = 32
WARM_UP = 128
PATHS = {
    "one": "/instances/{id}",
    "page of 20": "/instances?limit=20",
    "details of 20": "/instances/detail?limit=20",
    "page by marker": "/instances?limit=20&marker={id}",
}


class Connection:
    """One that stays open; asks for the same again and again."""

    def __init__(self, url: str, path: str, token: str) -> None:
        self._parts = urlsplit(url)
        self._request = (
            f"GET {self._parts.path}{path} HTTP/1.1\r\nHost: {self._parts.netloc}\r\n"
            f"X-Auth-Token: {token}\r\n\r\n"
        ).encode()

    async def open(self) -> None:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection(
            self._parts.hostname, self._parts.port
        )

    async def ask(self) -> None:
        """A request and its whole answer."""
        self._writer.write(self._request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        await self._reader.readexactly(int(head.lower().split(b"content-length: ")[1].split()[0]))

    async def answer(self, queue: "asyncio.Queue[float]", found: list[float]) -> None:
        """Take due times from the queue until one is negative."""
        while (due := await queue.get()) > 0:
            await self.ask()
            found.append(time.perf_counter() - due)
        self._writer.close()


async def load(url: str, path: str, token: str, rate: float, count: int) -> list[float]:
    """Latencies in seconds of `count` requests that were due `rate` times a second."""
    connections = [Connection(url, path, token) for _ in range(CONNECTIONS)]
    for each in connections:  # one after the other, as people come: all at once meet one process
        await each.open()
        for _ in range(WARM_UP // CONNECTIONS):
            await each.ask()
    queue: asyncio.Queue[float] = asyncio.Queue()
    found: list[float] = []
    answers = [asyncio.create_task(each.answer(queue, found)) for each in connections]
    began = time.perf_counter() + 0.1
    for number in range(count):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        queue.put_nowait(due)
    for _ in connections:
        queue.put_nowait(-1)
    await asyncio.gather(*answers)
    return found


def measure(service: Service, counts: list[int], rate: float, seconds: float) -> None:
    """One line for each path and number of instances."""
    come_first()
    print(f"{'instances':>9}  {'request':<15} {'p50':>6} {'p95':>6} {'p99':>6} {'most':>6}  load")
    for count in counts:
        middle = fill(service, count)
        for name, path in PATHS.items():
            asked = path.format(id=middle)
            token = service.tokens["member"]
            found = uvloop.run(load(service.url, asked, token, rate, int(rate * seconds)))
            shown = " ".join(f"{percentile(found, share):6.1f}" for share in (0.5, 0.95, 0.99, 1))
            print(f"{count:>9}  {name:<15} {shown}  {os.getloadavg()[0]:.1f}", flush=True)


def main() -> None:
    """Serve, fill, measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=200, help="requests a second")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--instances", type=int, nargs="+", default=[10, 1000, 10_000])
    parser.add_argument("--workers", type=int, default=2, help="processes of the API")
    parser.add_argument("--threads", type=int, default=2, help="of each")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        service = Service(Path(home))
        service.workers, service.threads = given.workers, given.threads
        with service.running(workers=()):
            measure(service, given.instances, given.rate, given.seconds)


if __name__ == "__main__":
    main()
