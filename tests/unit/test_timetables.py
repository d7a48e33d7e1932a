"""Cron expressions, jitter and retention rules."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coffer.errors import BadRequest
from coffer.timetables import LONGEST_JITTER, PRESETS, Timetable, check_cron, jitter, kept

NOON = datetime(2026, 11, 22, 12, 0, 0)
DAY = timedelta(days=1)


@pytest.mark.parametrize("text", ["hourly", "daily", "weekly", "never", "*/5 1-3 * * 1,2"])
def test_what_is_understood(text: str) -> None:
    check_cron(text)


@pytest.mark.parametrize(
    "text",
    ["", "yearly", "@daily", "* * * *", "* * * * * *", "61 * * * *", "0 0 30 2 *", "a b c d e"],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match=r"^cron: "):
        check_cron(text)


@settings(deadline=None)
@given(st.uuids().map(str), st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)))
def test_an_instance_begins_when_it_was_said(instance: str, now: datetime) -> None:
    for cron in (*PRESETS, "*/7 * * * *", "30 4 1 * *"):
        begins = Timetable(cron, now).following(instance)
        assert begins > now
        slot, began = Timetable(cron, begins).latest(instance)
        assert began == begins
        assert timedelta(0) <= begins - slot <= timedelta(seconds=LONGEST_JITTER)
        assert Timetable(cron, begins - timedelta(seconds=1)).latest(instance)[0] < slot


def test_a_thousand_do_not_start_together() -> None:
    late = sorted(jitter(f"instance-{number}", DAY).total_seconds() for number in range(1000))
    assert late[0] >= 0
    assert late[-1] <= LONGEST_JITTER
    assert max(sum(1 for each in late if start <= each < start + 60) for start in range(3600)) < 50


@dataclass(frozen=True)
class Made:
    created: datetime


def keep(hours: int, **rules: int) -> list[datetime]:
    """What stays of a backup an hour, counted back from noon."""
    rows = [Made(NOON - timedelta(hours=number)) for number in range(hours)]
    return [row.created for row in kept(rows, rules, lambda row: row.created)]


def test_what_is_kept() -> None:
    assert keep(5) == [NOON]
    assert keep(5, last=2) == [NOON, NOON - timedelta(hours=1)]
    midnight = NOON.replace(hour=0)
    before = [midnight - timedelta(hours=1) - number * DAY for number in range(3)]
    assert keep(100, daily=4) == [NOON, *before]
    assert keep(100, last=1, daily=2, hourly=2) == [NOON, NOON - timedelta(hours=1), before[0]]
    assert keep(24 * 40, monthly=3) == [NOON, datetime(2026, 10, 31, 23)]
