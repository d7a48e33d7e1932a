"""Processes of the service: finding them, and taking them away at a bad moment."""

import os
import random
import signal
import time
from dataclasses import dataclass
from typing import Any

import psutil

from tests.e2e.installation import Installation
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
    def playbook(self) -> psutil.Process:
        """ansible-playbook."""
        return wait_for("ansible-playbook", self._playbook, timeout=20, pause=0.02)

    def _playbook(self) -> Any:
        return next((each for each in self.horse.children() if _is_playbook(each)), None)


def _is_playbook(process: psutil.Process) -> bool:
    return any("ansible-playbook" in word for word in process.cmdline()[:2])


def attempt_at(coffer: Installation, operation: str) -> Attempt:
    """Wait until a worker works on the operation."""
    query = "SELECT lease_owner FROM operation WHERE id = ? AND lease_owner IS NOT NULL"
    rows = wait_for(
        f"lease of {operation}", lambda: coffer.records(query, operation), timeout=120, pause=0.02
    )
    return Attempt(operation, psutil.Process(int(rows[0][0].split(":")[1])))


def kill_at(moment: float, coffer: Installation, operation: str, victim: str) -> None:
    """kill -9 of an attempt's worker, horse or playbook, some seconds after it began."""
    attempt = attempt_at(coffer, operation)
    began = time.monotonic()
    process = getattr(attempt, victim)
    time.sleep(max(0.0, moment - (time.monotonic() - began)))
    process.send_signal(signal.SIGKILL)


def kill_service(coffer: Installation, service: str) -> None:
    """kill -9 of a service; the process manager has it back before this returns."""
    pid = coffer.pid_of(service)
    os.kill(pid, signal.SIGKILL)
    wait_for(f"{service} again", lambda: coffer.pid_of(service) not in (0, pid), timeout=30)
