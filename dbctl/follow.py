"""Following one operation to its end, through restarts of the API."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dbctl.client import Api, Document
from dbctl.errors import Detached, OperationFailed, StillRunning, Unreachable
from dbctl.output import clean
from dbctl.progress import Progress, heading

ENDED = frozenset({"succeeded", "failed", "aborted", "expired"})
UNCLAIMED = 15.0


@dataclass(frozen=True)
class Pace:
    """Seconds between questions, seconds of silence to bear, and the clock to measure them."""

    interval: float = 0.25
    patience: float = 60.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Follower:
    """Asks for the events of one operation until it has ended."""

    def __init__(self, api: Api, operation_id: str, progress: Progress, pace: Pace) -> None:
        self._api = api
        self._path = f"/operations/{operation_id}/events"
        self._id = operation_id
        self._progress = progress
        self._pace = pace

    def run(self, timeout: float | None = None, after: int = 0) -> Document:
        """The ended operation. `timeout` in seconds; events up to the id `after` are not shown.

        Raises StillRunning when the time is over, Detached on Ctrl-C, Unreachable when the API
        stays away for longer than the pace's patience.
        """
        try:
            return self._until_ended(timeout, after)
        except KeyboardInterrupt:
            raise Detached("stopped waiting; the operation goes on", *ways(self._id)) from None
        finally:
            self._progress.close()

    def _until_ended(self, timeout: float | None, after: int) -> Document:
        started = self._pace.clock()
        told = False
        while True:
            page = self._page(after)
            operation, events = page["operation"], page["events"]
            self._progress.update(operation, events)
            if operation["state"] in ENDED and not events:
                return dict(operation)
            after = max((event["id"] for event in events), default=after)
            waited = self._pace.clock() - started
            if timeout is not None and waited >= timeout:
                raise StillRunning(
                    f"still {operation['state']} after {timeout:g} s", *ways(self._id)
                )
            if not told and (note := _queued(operation, waited)):
                self._progress.note(note)
                told = True
            if not events:
                self._pace.sleep(self._pace.interval)

    def _page(self, after: int) -> Document:
        """The events after an id; bears an API that is away for a while."""
        lost: float | None = None
        pause, told = self._pace.interval, False
        while True:
            try:
                page = self._api.get(self._path, after=after)
            except Unreachable as error:
                now = self._pace.clock()
                if lost is None:
                    lost = now
                elif now - lost > self._pace.patience:
                    raise gave_up(error, self._pace.patience, self._id) from error
                elif not told:
                    self._progress.note("The API does not answer; trying again for a minute …")
                    told = True
                self._pace.sleep(pause)
                pause = min(pause * 1.5, 2.0)
            else:
                if told:
                    self._progress.note("The API answers again.")
                return page


def _queued(operation: Document, waited: float) -> str:
    """What an operation is waiting for after some seconds, if there is something to say."""
    if operation["state"] != "queued":
        return ""
    if operation.get("waits_for"):
        return "It is backed up first."
    return "No worker has taken this yet. Does one run? (make up)" if waited > UNCLAIMED else ""


def gave_up(error: Unreachable, patience: float, operation_id: str) -> Unreachable:
    """The API stayed away: what is known about the operation then."""
    return Unreachable(
        f"{error.message} (for {patience:.0f} s)",
        *error.hints,
        "The operation does not depend on the API being up.",
        *ways(operation_id),
    )


def ways(operation_id: str) -> tuple[str, ...]:
    """How to take the thread up again."""
    return (
        f"Watch it again:  dbctl operation watch {operation_id}",
        f"Stop it:         dbctl operation abort {operation_id}",
    )


def failure(operation: dict[str, Any]) -> OperationFailed:
    """The error for an operation without success: step, the module's message, next commands."""
    where = f" at step {operation['failing_task']!r}" if operation.get("failing_task") else ""
    message = f"{heading(operation)}: {operation['state']}{where}"
    if operation.get("reason"):
        message += f"\n  {clean(operation['reason']).strip()}".replace("\n", "\n  ")
    hints = []
    if "retry" in (operation.get("actions") or []):
        hints.append(f"Try again:     dbctl operation retry {operation['id']}")
    hints.append(f"Look closer:   dbctl operation show {operation['id']}")
    if operation["kind"] == "instance_create":
        hints.append(f"Throw it away: dbctl instance delete {operation['instance_id']}")
    return OperationFailed(message, *hints)
