"""What the events of an operation add up to: finished groups of steps and the steps now running."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]
FINISHED = frozenset({"ok", "changed", "failed", "skipped", "unreachable"})
BROKEN = frozenset({"failed", "unreachable"})


def remark(event: Event) -> str:
    """What the service itself says in an event that is no step of a playbook; else empty."""
    return "" if event.get("task") else str(event.get("message") or "…")


@dataclass
class Group:
    """Consecutive steps of one role (or, outside roles, of one play); `seconds` adds them up."""

    title: str
    finished: int = 0
    seconds: float = 0.0
    broken: str | None = None


@dataclass
class Steps:
    """Built up event by event; a new attempt starts from nothing."""

    attempt: int = 0
    groups: list[Group] = field(default_factory=list)
    # What runs now: (host, task) -> the clock's reading when we heard of it.
    running: dict[tuple[str, str], float] = field(default_factory=dict)
    # The next step opens a group even if its role is that of the last one.
    cut: bool = False

    def add(self, event: Event, now: float) -> None:
        """Take in one event, heard at `now` (seconds of any steady clock)."""
        if event["attempt"] > self.attempt:
            self.attempt, self.groups, self.running = event["attempt"], [], {}
        elif event["attempt"] < self.attempt:
            return
        step = (event["host"], event["task"])
        if remark(event):
            # The service itself took a turn, such as to undo what was done so far.
            self.cut, self.running = True, {}
        elif event["state"] in FINISHED:
            self.running.pop(step, None)
            self._finish(event)
        else:
            self.running[step] = now

    def _finish(self, event: Event) -> None:
        if event["state"] == "skipped":
            return
        group = self._group(event.get("role") or event["play"])
        group.finished += 1
        group.seconds += event.get("seconds") or 0.0
        # What goes on after a failure was meant to: the failure was ignored or rescued.
        group.broken = event["task"] if event["state"] in BROKEN else None

    def _group(self, title: str) -> Group:
        if self.cut or not self.groups or self.groups[-1].title != title:
            self.groups.append(Group(title))
            self.cut = False
        return self.groups[-1]
