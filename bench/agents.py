"""Who loads the service while the conductor is measured: guests, readers, people who delete."""

import asyncio
import json
import random
import ssl
import time
from asyncio import sslproto
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from load import OBSERVED

RETRY = 0.5
"""Seconds after which one that was not heard tries again."""
PATIENCE = 20
"""Seconds after which no answer is expected any more."""
LOGS = 6
"""Reports after which another minute of the engine's logs has left a guest."""
ENDED = ("succeeded", "failed", "aborted", "expired")
sslproto.SSLProtocol.max_size = 16 * 1024  # bytes for reading; 256 KiB for each guest are gigabytes
Channel = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Call = Callable[[Channel, int], Coroutine[Any, Any, Any]]
"""What is done over a connection, by the number of times that it is done."""
TROUBLE = (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, AssertionError)


@dataclass
class Took:
    """What was due and when it was answered, by the clock of time.perf_counter."""

    answers: list[tuple[float, float]] = field(default_factory=list)
    """Due, answered."""
    failed: list[float] = field(default_factory=list)
    """When a try failed."""
    lost: list[float] = field(default_factory=list)
    """Due, and not answered when all was over."""


@dataclass
class Caller:
    """Does something again and again over a connection that it keeps."""

    connect: Callable[[], Coroutine[Any, Any, Channel]]
    took: Took
    interval: float
    """Seconds between two calls that are due; a latency is counted from then."""
    ends: float

    async def run(self, due: float, call: Call) -> int:
        """From `due` on; the number of calls."""
        channel, number = None, 0
        while due < self.ends:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            number += 1
            while True:
                try:
                    channel = channel or await self.connect()
                    await asyncio.wait_for(call(channel, number), PATIENCE)
                    self.took.answers.append((due, time.perf_counter()))
                    break
                except TROUBLE:
                    self.took.failed.append(time.perf_counter())
                    if channel:
                        channel[1].close()
                    channel = None
                if time.perf_counter() > self.ends + PATIENCE:
                    self.took.lost.append(due)
                    break
                await asyncio.sleep(RETRY)
            due += self.interval
        if channel:
            channel[1].close()
        return number


@dataclass
class Agents:
    """Guests, each from a moment of its own on."""

    port: int
    trust: ssl.SSLContext
    took: Took = field(default_factory=Took)
    sent: dict[str, int] = field(default_factory=dict)
    """Sequence number of its last report, by the instance's id."""

    async def report(self, key: str, interval: float, settled: float, ends: float) -> None:
        """One guest, which begins within `settled` seconds; its token is its id."""
        caller = Caller(
            lambda: asyncio.open_connection(
                "127.0.0.1", self.port, ssl=self.trust, server_hostname="localhost"
            ),
            self.took,
            interval,
            ends,
        )
        first = time.perf_counter() + random.uniform(0, settled)
        self.sent[key] = await caller.run(
            first, lambda channel, number: _post(channel, key, number)
        )


async def _post(channel: Channel, key: str, sequence: int) -> None:
    reader, writer = channel
    volume = {"size": 1 << 30, "used": 1 << 28}
    logs = {"chain": "one", "since": 0.0, "until": 60.0 * (sequence // LOGS)}
    told = {"protocol": 1, "instance_id": key, "sequence": sequence, "state": "HEALTHY"} | OBSERVED
    told |= {"volume": volume, "connections": 3, "uptime": 1.0, "logs": logs}
    body = json.dumps(told).encode()
    head = (
        f"POST /conductor/v1/reports HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    answer = await reader.readuntil(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 204"), answer


@dataclass
class Api:
    """A client of the API that asks on time."""

    url: str
    token: str
    took: Took = field(default_factory=Took)

    def _connect(self) -> Coroutine[Any, Any, Channel]:
        parts = urlsplit(self.url)
        return asyncio.open_connection(parts.hostname, parts.port)

    async def read(self, path: str, rate: float, ends: float) -> None:
        """GET, so many times a second, one after the other."""
        caller = Caller(self._connect, self.took, 1 / rate, ends)
        await caller.run(time.perf_counter(), lambda channel, _: self._ask(channel, "GET", path))

    async def _ask(self, channel: Channel, method: str, path: str) -> tuple[bytes, bytes]:
        """Head and body of the answer."""
        reader, writer = channel
        parts = urlsplit(self.url)
        writer.write(
            f"{method} {parts.path}{path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"X-Auth-Token: {self.token}\r\nContent-Length: 0\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 202")), head
        length = head.lower().partition(b"content-length: ")[2].split()
        return head, await reader.readexactly(int(length[0]) if length else 0)

    async def delete(self, key: str, after: float) -> tuple[str, float]:
        """An instance; how its operation ended, and after how many seconds."""
        await asyncio.sleep(after)
        began = time.perf_counter()
        head, _ = await self._once("DELETE", f"/instances/{key}")
        operation = head.lower().partition(b"coffer-operation-id: ")[2].split()[0].decode()
        state = ""
        while state not in ENDED:
            await asyncio.sleep(RETRY)
            try:
                _, body = await self._once("GET", f"/operations/{operation}")
            except TROUBLE:  # the API is away
                continue
            state = json.loads(body)["operation"]["state"]
        return state, time.perf_counter() - began

    async def _once(self, method: str, path: str) -> tuple[bytes, bytes]:
        channel = await self._connect()
        try:
            return await self._ask(channel, method, path)
        finally:
            channel[1].close()
