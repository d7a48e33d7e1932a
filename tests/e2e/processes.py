"""Processes of the service: finding them, and taking them away at a bad moment."""

import os
import random
import signal
import time
from dataclasses import dataclass

import psutil

from tests.e2e.installation import ENVIRONMENT, Installation
from tests.e2e.waiting import wait_for

SEED = int(os.environ.get("COFFER_E2E_SEED", "20"))
"""Of the moments at which things are killed."""


def moments(label: str, count: int, longest: float) -> list[float]:
    """Seconds, the same for the same seed; printed."""
    source = random.Random(f"{SEED} {label}")
    found = [round(source.uniform(0.1, longest), 2) for _ in range(count)]
    print(f"\n{label}: seed {SEED}, killed after {found} s")
    return found


@dataclass(frozen=True)
class Attempt:
    """The processes that work on an operation."""

    operation: str
    horse: psutil.Process

    @property
    def worker(self) -> psutil.Process:
        """RQ's own process, which made the horse."""
        return self.horse.parent()

    @property
    def client(self) -> psutil.Process:
        """What ansible-runner started: it hands the run to the worker's warm Ansible."""
        return wait_for("client", lambda: _with("ansible-playbook", self.horse), 20, pause=0.02)

    @property
    def playbook(self) -> psutil.Process:
        """The run of Ansible itself."""
        return wait_for("run of Ansible", self._playbook, 20, pause=0.02)

    def _playbook(self) -> psutil.Process | None:
        """A child of the worker's warm Ansible; of a new worker, whose is cold yet, the client."""
        warm = _with("worker.warm", self.worker)
        run = _with("worker.warm", warm) if warm else None
        return run or _with(f"{ENVIRONMENT}/bin/ansible-playbook", self.horse)


def _with(word: str, parent: psutil.Process) -> psutil.Process | None:
    """A child that has the word among its first arguments."""
    found = (each for each in parent.children() if any(word in said for said in each.cmdline()[:4]))
    return next(found, None)


def attempt_at(coffer: Installation, operation: str) -> Attempt:
    """Wait until a worker works on the operation."""
    query = "SELECT lease_owner FROM operation WHERE id = ? AND lease_owner IS NOT NULL"
    rows = wait_for(
        f"lease of {operation}", lambda: coffer.records(query, operation), timeout=120, pause=0.02
    )
    return Attempt(operation, psutil.Process(int(rows[0][0].split(":")[1])))


def kill_at(moment: float, coffer: Installation, operation: str, victim: str) -> None:
    """kill -9 of an attempt's worker, horse, client or playbook, some seconds after it began."""
    attempt = attempt_at(coffer, operation)
    time.sleep(moment)
    # looked for now: right after the lease the worker's last run may still be there
    process = getattr(attempt, victim)
    process.send_signal(signal.SIGKILL)


def kill_service(coffer: Installation, service: str) -> None:
    """kill -9 of a service; the process manager has it back before this returns."""
    pid = coffer.pid_of(service)
    os.kill(pid, signal.SIGKILL)
    wait_for(f"{service} again", lambda: coffer.pid_of(service) not in (0, pid), timeout=30)
