"""The agent as a process of its own, with a real conductor."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.guest_conductor import Authority, Conductor
from tests.unit.test_guest_config import GOOD

REPOSITORY = Path(__file__).parents[2]
SAYS_FILE = ["sh", "-c", 'cat "$0"']


class World:
    """A directory with all that an agent needs, and the agent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder)
        self.conductor = Conductor(self.authority)
        self.says("HEALTHY")
        (folder / "token").write_text("secret")
        self.agent: subprocess.Popen[str] | None = None
        self.notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notified.bind(f"{folder}/notify")
        self.notified.settimeout(5)

    def says(self, state: str) -> None:
        new = self.folder / "said.new"
        new.write_text(json.dumps({"state": state}))
        new.rename(self.folder / "said")

    def start(self, **changes: Any) -> None:
        own = {
            "conductor_url": self.conductor.url,
            "ca_file": f"{self.folder}/ca.pem",
            "token_file": f"{self.folder}/token",
            "pidfile": f"{self.folder}/pid",
            "data_directory": str(self.folder),
            "probe": [*SAYS_FILE, f"{self.folder}/said"],
            "interval": 60,
            "send_timeout": 1,
        }
        (self.folder / "agent.json").write_text(json.dumps({**GOOD, **own, **changes}))
        self.agent = subprocess.Popen(
            [sys.executable, "-S", "-s", "-m", "guest", f"{self.folder}/agent.json"],
            cwd=REPOSITORY,
            env={**os.environ, "NOTIFY_SOCKET": f"{self.folder}/notify"},
            stderr=subprocess.PIPE,
            text=True,
        )

    def stop(self) -> str:
        """End the agent and return what it logged."""
        if self.agent is None:
            return ""
        self.agent.kill()
        log = self.agent.communicate()[1]
        self.agent = None
        return log

    def notification(self) -> str:
        return self.notified.recv(4096).decode()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.stop()
    made.conductor.close()
    made.notified.close()


def state_is(state: str) -> Callable[[dict[str, Any]], bool]:
    return lambda report: bool(report["state"] == state)


def test_ready_is_said_after_the_first_report(world: World) -> None:
    world.conductor.answer = 503
    world.start()
    assert "READY" not in world.notification()
    world.conductor.answer = 204
    said = ""
    while "READY=1" not in said:
        said = world.notification()
    assert len(world.conductor.reports) == 1


def test_a_new_process_of_the_engine_is_reported_at_once(world: World) -> None:
    world.start()
    world.conductor.wait_for(state_is("HEALTHY"), 5)
    world.says("SHUTDOWN")
    (world.folder / "pid").write_text(str(os.getpid()))
    world.conductor.wait_for(state_is("SHUTDOWN"), 3)


def test_recovery_is_seen_soon(world: World) -> None:
    world.says("BLOCKED")
    world.start()
    world.conductor.wait_for(state_is("BLOCKED"), 5)
    world.says("HEALTHY")
    world.conductor.wait_for(state_is("HEALTHY"), 4)


def test_a_hangup_makes_it_report_now(world: World) -> None:
    world.start()
    world.conductor.wait_for(state_is("HEALTHY"), 5)
    world.says("FAILED")
    time.sleep(0.3)
    assert world.agent
    world.agent.send_signal(signal.SIGHUP)
    world.conductor.wait_for(state_is("FAILED"), 2)


def test_only_the_newest_report_is_kept(world: World) -> None:
    world.conductor.answer = 500
    world.start(interval=0.1)
    while len(world.conductor.tokens) < 2:
        time.sleep(0.05)
    world.says("FAILED")
    time.sleep(1.2)
    world.conductor.answer = 204
    world.conductor.wait_for(lambda _: True, 6)
    assert world.conductor.reports[0]["state"] == "FAILED"


def test_a_revoked_token_is_not_used_again_soon(world: World) -> None:
    world.conductor.answer = 401
    world.start(interval=0.1)
    time.sleep(4)
    assert len(world.conductor.tokens) == 1
    (world.folder / "token").write_text("renewed")
    world.conductor.answer = 204
    assert world.agent
    world.agent.send_signal(signal.SIGHUP)
    world.conductor.wait_for(lambda _: True, 2)
    assert world.conductor.tokens[-1] == "Bearer renewed"
    log = world.stop()
    assert log.count("401") == 1
    assert "secret" not in log


def test_trouble_is_logged_once_and_its_end_too(world: World) -> None:
    world.conductor.answer = 500
    world.start(interval=0.1)
    while len(world.conductor.tokens) < 3:
        time.sleep(0.05)
    world.conductor.answer = 204
    # the second one that arrives: by then it has logged that the first one did
    world.conductor.wait_for(lambda _: True, 15, after=1)
    log = world.stop()
    assert log.count("not delivered") == 1
    assert log.count("arrive again") == 1


def test_reports_are_numbered_upwards(world: World) -> None:
    world.start(interval=0.1)
    world.conductor.wait_for(lambda _: len(world.conductor.reports) > 2, 6)
    numbers = [report["sequence"] for report in world.conductor.reports]
    assert numbers == sorted(set(numbers))


def test_a_configuration_that_does_not_fit_ends_it(world: World) -> None:
    world.start(probe=[])
    assert world.agent
    assert world.agent.wait(5) == 2
    assert "probe" in world.stop()


def test_it_takes_little_memory(world: World) -> None:
    world.start(interval=0.1)
    world.conductor.wait_for(lambda _: len(world.conductor.reports) > 4, 10)
    assert world.agent
    status = Path(f"/proc/{world.agent.pid}/status").read_text()
    resident = int(status.split("VmRSS:")[1].split()[0])
    assert resident < 20_000, f"{resident} kB"
