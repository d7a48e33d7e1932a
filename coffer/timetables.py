"""Cron expressions and retention rules: arithmetic alone, all times are UTC."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from croniter import CroniterError, croniter

from coffer.errors import BadRequest

NEVER = "never"
"""The preset of an instance that takes no part in its project's default."""
PRESETS = {"hourly": "0 * * * *", "daily": "0 2 * * *", "weekly": "0 2 * * 0"}
KEPT = {
    "hourly": {"hourly": 24, "daily": 7},
    "daily": {"daily": 7, "weekly": 4},
    "weekly": {"weekly": 4, "monthly": 6},
}
"""What is kept of a preset where nothing is said."""
KEPT_OF_OTHERS = {"last": 7}
BUCKETS = {
    "hourly": "%Y-%m-%d %H",
    "daily": "%Y-%m-%d",
    "weekly": "%G-%V",
    "monthly": "%Y-%m",
    "yearly": "%Y",
}
"""Of each hour, day, … the newest counts, as in restic's `forget --keep-…`."""
LONGEST_JITTER = 3600.0
"""Seconds; at most a quarter of the time between two runs."""
_FIELDS = 5
_T = TypeVar("_T")


def check_cron(text: str) -> None:
    """Let only a preset pass, or five fields of cron that some day fit.

    Raises:
        BadRequest: naming the field.
    """
    if text in (NEVER, *PRESETS):
        return
    presets = ", ".join((*PRESETS, NEVER))
    wrong = BadRequest(
        f"cron: '{text}' is neither one of {presets} nor five fields such as 0 2 * * *"
    )
    if len(text.split()) != _FIELDS:
        raise wrong
    try:
        croniter(text, datetime(2024, 1, 1)).get_next(datetime)
    except (CroniterError, ValueError) as error:
        raise wrong from error


def jitter(instance_id: str, gap: timedelta) -> timedelta:
    """How much later than the schedule says this instance begins: the same every time."""
    longest = min(LONGEST_JITTER, gap.total_seconds() / 4)
    share = int(hashlib.sha256(instance_id.encode()).hexdigest()[:8], 16) / 2**32
    return timedelta(seconds=int(share * longest))


class Timetable:
    """A cron expression seen from one moment; one serves any number of instances."""

    def __init__(self, cron: str, now: datetime) -> None:
        """`cron` is a preset (not `never`) or an expression that `check_cron` let pass."""
        expression = PRESETS.get(cron, cron)
        just_after = now.replace(microsecond=0) + timedelta(seconds=1)
        self._now = now
        self._latest: datetime = croniter(expression, just_after).get_prev(datetime)
        self._before: datetime = croniter(expression, self._latest).get_prev(datetime)
        self._next: datetime = croniter(expression, self._latest).get_next(datetime)
        after: datetime = croniter(expression, self._next).get_next(datetime)
        self._gap, self._next_gap = self._next - self._latest, after - self._next

    def latest(self, instance_id: str) -> tuple[datetime, datetime]:
        """The moment of the schedule that this instance has reached, and when it began by that."""
        begins = self._latest + jitter(instance_id, self._gap)
        if begins <= self._now:
            return self._latest, begins
        return self._before, self._before + jitter(instance_id, self._latest - self._before)

    def following(self, instance_id: str) -> datetime:
        """When this instance begins next."""
        begins = self._latest + jitter(instance_id, self._gap)
        if begins > self._now:
            return begins
        return self._next + jitter(instance_id, self._next_gap)


def kept(rows: Sequence[_T], rules: Mapping[str, int], moment: Any) -> list[_T]:
    """Those that a rule keeps, and always the first; `rows` are the newest first.

    `moment` tells when one was made.
    """
    found = {id(row) for row in rows[: max(1, rules.get("last", 0))]}
    for rule, form in BUCKETS.items():
        newest: dict[str, _T] = {}
        for row in rows:
            newest.setdefault(moment(row).strftime(form), row)
        found |= {id(row) for row in list(newest.values())[: rules.get(rule, 0)]}
    return [row for row in rows if id(row) in found]
