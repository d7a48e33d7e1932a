"""What events add up to."""

from __future__ import annotations

from typing import Any

from dbctl.steps import Group, Steps
from tests.unit.dbctl_documents import steps

UNDOING = {"attempt": 1, "task": "", "host": None, "state": "started", "message": "undoing"}


def add_all(events: list[dict[str, Any]]) -> Steps:
    seen = Steps()
    for second, event in enumerate(events):
        seen.add(event, float(second))
    return seen


def test_steps_of_a_role_become_one_group() -> None:
    seen = add_all(steps(("ok", "changed", "ok", "ok"))[:-1])
    assert seen.groups == [Group("compute_local", 2, 1.0), Group("engine_mysql", 1, 0.5)]
    assert seen.running == {("db1", "Prove that it reads and writes"): 6.0}


def test_a_new_attempt_begins_anew_and_late_events_of_the_old_one_do_not_count() -> None:
    seen = add_all([*steps(("ok", "ok")), *steps(("ok",), attempt=2), *steps(("failed",))])
    assert seen.groups == [Group("compute_local", 1, 0.5)]


def test_an_undo_does_not_hide_what_failed() -> None:
    seen = add_all([*steps(("failed",)), UNDOING, *steps(("ok",))])
    assert [group.broken for group in seen.groups] == ["Create the guest", None]


def test_an_ignored_failure_is_forgotten() -> None:
    assert add_all(steps(("failed", "ok"))).groups == [Group("compute_local", 2, 1.0)]
