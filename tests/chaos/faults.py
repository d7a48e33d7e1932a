"""What breaks while an operation runs: one thing at a time, mended afterwards in any case."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
from redis import Redis
from rq import Queue

from coffer.operations import JOB
from tests.chaos.small_disk import SMALL_DISK
from tests.chaos.target import DIRECTORIES, Target
from tests.e2e.host import PREFIX, RUN, containers, open_records
from tests.e2e.installation import CONDUCTOR_PORT
from tests.e2e.processes import kill_at, kill_service
from tests.e2e.waiting import wait_for

CUT = 8.0
"""Seconds for which a network is cut."""
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
JUMP = "/run/systemd/system/coffer-agent.service.d"
CLOCK = (
    "[Service]\\nEnvironment=LD_PRELOAD=/usr/local/lib/{library}"
    " FAKETIME={days:+d}d FAKETIME_DONT_FAKE_MONOTONIC=1\\n"
)
AGENT_AGAIN = "systemctl daemon-reload; systemctl restart --no-block coffer-agent"
LOCKED = 30.0
"""Seconds for which another process has the records for itself."""


@dataclass(frozen=True)
class Scene:
    """An operation that has just been asked for, and when in it something breaks."""

    target: Target
    operation: str
    moment: float
    """Seconds after a worker took the operation."""

    def wait(self) -> None:
        """Until the moment."""
        self.target.coffer.running(self.operation)
        time.sleep(self.moment)
        state = self.target.coffer.records(STATE_OF, self.operation)[0][0]
        print(f"  {state} at that moment", flush=True)

    def wait_for_guest(self) -> None:
        """The same, and until there is a guest in which something can break."""
        self.wait()
        wait_for("a guest", lambda: self.target.guest.container in containers(), timeout=30)


STATE_OF = "SELECT state FROM operation WHERE id = ?"
Fault = Callable[[Scene], AbstractContextManager[None]]


@contextmanager
def process_killed(scene: Scene, victim: str) -> Iterator[None]:
    """kill -9 of what works on the operation."""
    try:
        kill_at(scene.moment, scene.target.coffer, scene.operation, victim)
    except (AssertionError, AttributeError, psutil.Error) as error:
        print(f"  nothing to kill any more: {error}")
    yield


@contextmanager
def service_killed(scene: Scene, service: str) -> Iterator[None]:
    """kill -9 of a service; of Redis with all that it holds."""
    scene.wait()
    kill_service(scene.target.coffer, service)
    yield


@contextmanager
def agent_killed(scene: Scene) -> Iterator[None]:
    """kill -9 of the agent in the guest."""
    scene.wait_for_guest()
    scene.target.guest.shell("systemctl kill --signal KILL coffer-agent", check=False)
    yield


@contextmanager
def engine_killed(scene: Scene) -> Iterator[None]:
    """kill -9 of the engine in the guest."""
    scene.wait_for_guest()
    scene.target.guest.shell(f"systemctl kill --signal KILL {scene.target.unit}", check=False)
    yield


@contextmanager
def guest_killed(scene: Scene) -> Iterator[None]:
    """The guest is gone at once, as in a power cut; an administrator starts it again."""
    scene.wait_for_guest()
    _run("podman", "kill", "--signal", "KILL", scene.target.guest.container)
    yield
    if scene.target.guest.container not in containers():
        return  # its creation failed, and is undone
    coffer, path = scene.target.coffer, f"/mgmt{scene.target.path}/action"
    answer = wait_for(
        "a reboot",
        lambda: (sent := coffer.api.send("POST", path, {"reboot": {}})).status == 202 and sent,
        timeout=60,
        pause=1,
    )
    assert coffer.ended(answer.operation)["state"] == "succeeded"


@contextmanager
def network_cut(scene: Scene) -> Iterator[None]:
    """Between the guest and all others: worker, conductor, gateway."""
    scene.wait_for_guest()
    _run("ip", "link", "set", scene.target.link, "down")
    try:
        time.sleep(CUT)
    finally:
        _run("ip", "link", "set", scene.target.link, "up")
    yield


@contextmanager
def conductor_cut(scene: Scene) -> Iterator[None]:
    """Between the guest's agent and the conductor."""
    scene.wait_for_guest()
    table = f"{PREFIX}chaos"
    rules = (
        f"add table inet {table}",
        f"add chain inet {table} input {{ type filter hook input priority -10; }}",
        f"add rule inet {table} input ip saddr {scene.target.guest.address} "
        f"tcp dport {CONDUCTOR_PORT} drop",
    )
    _run("nft", "; ".join(rules))
    try:
        time.sleep(CUT)
    finally:
        _run("nft", "delete", "table", "inet", table)
    yield


@contextmanager
def disk_full(scene: Scene) -> Iterator[None]:
    """The data volume of the guest is full until the operation has ended."""
    scene.wait_for_guest()
    file = f"{DIRECTORIES[scene.target.engine]}/.filling"
    shell = scene.target.guest.shell
    fill = f"fallocate -l $(($(df --output=avail -B1 $(dirname {file}) | tail -1) - 65536)) {file}"
    shell(fill, check=False)
    try:
        scene.target.coffer.ended(scene.operation, timeout=200)
        yield
    finally:
        shell(f"rm -f {file}")
        shell(
            f"systemctl is-active -q {scene.target.unit} || systemctl restart {scene.target.unit}"
        )


@contextmanager
def records_locked(scene: Scene) -> Iterator[None]:
    """Another process writes to the records and does not come to an end."""
    scene.wait()
    with open_records() as database:
        database.execute("BEGIN EXCLUSIVE")
        time.sleep(LOCKED)
        database.execute("ROLLBACK")
    yield


@contextmanager
def records_disk_full(scene: Scene) -> Iterator[None]:
    """No byte more can be written where the records lie."""
    scene.wait()
    with open_records() as database:  # what lies in the journal's file could be written over
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    filling = SMALL_DISK / "filling"
    try:
        # to where no more fits, since services write meanwhile
        fill = ["dd", "if=/dev/zero", f"of={filling}", "bs=64k", "status=none"]
        subprocess.run(fill, check=False, capture_output=True)
        time.sleep(CUT)
    finally:
        filling.unlink(missing_ok=True)
    yield


@contextmanager
def clock_jumped(scene: Scene) -> Iterator[None]:
    """The guest's agent is in next year, or in the last one."""
    scene.wait_for_guest()
    guest, days = scene.target.guest, 400 if scene.moment * 100 % 2 else -400
    _run("podman", "cp", FAKETIME, f"{guest.container}:/usr/local/lib/")
    jump = CLOCK.format(library=Path(FAKETIME).name, days=days)
    guest.shell(f"mkdir -p {JUMP}; printf '{jump}' >{JUMP}/clock.conf; {AGENT_AGAIN}", check=False)
    try:
        time.sleep(CUT)
    finally:
        guest.shell(f"rm -r {JUMP}; {AGENT_AGAIN}", check=False)
    yield


@contextmanager
def given_twice(scene: Scene) -> Iterator[None]:
    """Two more workers get the same operation."""
    redis = Redis(unix_socket_path=f"{RUN}/redis.sock")
    scene.wait()
    for name in ("work", "fast"):
        Queue(name, connection=redis).enqueue(JOB, scene.operation)
    yield


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (command, done.stderr)


OF_THE_SERVICE: dict[str, Fault] = {
    **{
        f"{victim} killed": partial(process_killed, victim=victim)
        for victim in ("worker", "horse", "client", "playbook")
    },
    **{
        f"{service} killed": partial(service_killed, service=service)
        for service in ("redis", "api", "conductor", "sweeper", "cron", "gateway")
    },
    "records locked": records_locked,
    "records' disk full": records_disk_full,
    "given twice": given_twice,
}
"""Faults that an operation survives, whatever it is: it succeeds by itself."""
OF_THE_GUEST: dict[str, Fault] = {
    "agent killed": agent_killed,
    "engine killed": engine_killed,
    "guest killed": guest_killed,
    "network cut": network_cut,
    "conductor cut": conductor_cut,
    "disk full": disk_full,
    "clock jumped": clock_jumped,
}
"""Faults that an operation may fail with; a retry then succeeds."""
OF_A_CREATION = [*OF_THE_SERVICE, "agent killed", "engine killed", "guest killed", "network cut"]
FAULTS = OF_THE_SERVICE | OF_THE_GUEST
