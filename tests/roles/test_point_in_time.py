"""A guest that dies while it is written to, brought back to any second on another one."""

import json
import os
import random
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.roles.backup_gateway import Gateway
from tests.roles.engine_fixtures import *  # noqa: F403 - fixtures are found by name
from tests.roles.engine_fixtures import Made
from tests.roles.engine_site import Guest, Site
from tests.roles.provider import DATA

pytestmark = pytest.mark.guests

SEED = int(os.environ.get("COFFER_TEST_SEED", time.time_ns()))
CHANCE = random.Random(SEED)
INTERVAL = 2
"""Seconds between two sendings of the logs."""
LOSS = 60.0
"""Seconds of writes that a death may cost."""
RESTORE = ["restore", "replay", "start", "secure", "verify"]


@dataclass
class Counter:
    """Numbers that a program in the guest writes, one transaction each, until the guest dies."""

    guest: Guest
    program: str
    written: list[tuple[int, float, float]] = field(default_factory=list)
    """Number, and the moments before and after its transaction."""

    def __post_init__(self) -> None:
        self.process = self.guest.open_shell("cat >/run/counter.py && echo brought")
        self.process.communicate(self.program, timeout=30)
        self.process = self.guest.open_shell("python3 -s /run/counter.py")
        assert self.process.stdout.readline() == "ready\n"

    def go(self) -> None:
        """Begin to count."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def take(self, seconds: float) -> None:
        """Note what is written for so long."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self._note(self.process.stdout.readline())

    def _note(self, line: str) -> None:
        if line.endswith("\n"):
            number, began, ended = line.split()
            self.written.append((int(number), float(began), float(ended)))

    def rest(self) -> None:
        """What was said before the guest died."""
        self.process.kill()
        for line in self.process.stdout:
            self._note(line)
        self.process.wait()


@dataclass
class Past:
    """What a guest left that is no more."""

    gateway: Gateway
    backup: dict[str, Any]
    counter: Counter
    until: float
    """The moment until which the dead guest said its logs were sent, in unix seconds."""
    died: float

    def point(self, to: int | None) -> dict[str, Any]:
        """Variables of a restore."""
        details = self.backup["details"]
        backup = {"id": "x", "method": "physical", "snapshot": self.backup["snapshot"], **details}
        point = {"chain": details["chain"], "at": details["at"], "to": to}
        return self.gateway.variables(**backup) | {"coffer_point": point}


@pytest.fixture(scope="module")
def past(site: Site, made: Made) -> Iterator[Past]:
    """The guest dies some seconds after it began to count; the gateway was away meanwhile, and what
    sends the logs was killed."""
    guest = made.guest
    gateway = Gateway(site, guest)
    try:
        keys = gateway.variables(id=uuid.uuid4().hex, method="physical")
        print(f"COFFER_TEST_SEED={SEED}")
        begun = guest.run("logs", backup_log_interval=INTERVAL, **keys)
        assert begun.code == 0, begun.output
        # what sends the logs takes not the place of what keeps them small
        guest.shell("systemctl is-active coffer-logs.timer coffer-rotate.timer")
        counter = Counter(guest, (DATA / gateway.commands["counter"]).read_text())
        taken = guest.run("backup", **keys)
        assert taken.code == 0, taken.output
        counter.go()
        counter.take(CHANCE.uniform(3, 5))
        gateway.stop()
        counter.take(INTERVAL)
        guest.shell("systemctl kill --signal=KILL coffer-logs")
        gateway.start()
        counter.take(CHANCE.uniform(4, 6))
        told = guest.shell("systemctl reload coffer-agent; cat /var/lib/coffer/logs.json")
        until = json.loads(told)["until"]
        made.conductor.wait_for(lambda row: (row.get("logs") or {}).get("until", 0) >= until, 20)
        died = time.time()
        guest.kill()
        counter.rest()
        yield Past(gateway, taken.facts["backup"], counter, until, died)
    finally:
        gateway.stop()


@pytest.fixture(scope="module")
def heir(site: Site, past: Past) -> Iterator[Guest]:
    """Another guest, ready for a restore."""
    dead = past.gateway.guest
    guest = site.guest(dead.engine, dead.image)
    guest.create()
    done = guest.run("preflight", "install", "configure")
    assert done.code == 0, done.output
    yield guest
    guest.run(f"compute_{site.data['provider']}/delete")
    site.guests.remove(guest)


def brought_back(heir: Guest, past: Past, to: int | None) -> list[int]:
    """The numbers that a restore brings; none is reordered, torn or left out."""
    done = heir.run(*RESTORE, **past.point(to))
    assert done.code == 0, done.output
    told = heir.open_shell("cat >/run/counter.py && python3 -s /run/counter.py look")
    first, second, later = told.communicate(past.counter.program, timeout=60)[0].splitlines()
    numbers = [int(word) for word in first.split()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert second == first
    assert int(later) == 1 or not numbers
    return numbers


def test_the_latest_time(heir: Guest, past: Past) -> None:
    brought = len(brought_back(heir, past, None))
    written = past.counter.written
    sent = [number for number, _, ended in written if ended < past.until]
    assert brought >= len(sent) > 0
    lost = [row for row in written if row[0] > brought]
    assert all(past.died - ended < LOSS for _, _, ended in lost)
    late = past.died - past.until
    print(f"{len(written)} written, {len(lost)} lost; sent until {late:.1f} s before")


def test_random_seconds(heir: Guest, past: Past) -> None:
    written = past.counter.written
    first, last = int(written[0][1]) + 1, int(past.until)
    for to in CHANCE.sample(range(first, last + 1), 3 if last - first > 1 else 1):
        brought = len(brought_back(heir, past, to))
        least = sum(ended < to for _, _, ended in written)
        most = sum(began < to for _, began, _ in written)
        assert least <= brought <= most, (to, least, brought, most)
