"""Schedules of backups on the wire; Trove has none."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from api.schemas.common import Closed, Text, Wire

Count = Annotated[int, Meta(ge=0, le=1000)]


class Keep(Closed):
    """How many are kept: the last ones, and the newest of each hour, day, week, month, year."""

    last: Count | UnsetType = UNSET
    hourly: Count | UnsetType = UNSET
    daily: Count | UnsetType = UNSET
    weekly: Count | UnsetType = UNSET
    monthly: Count | UnsetType = UNSET
    yearly: Count | UnsetType = UNSET


class ScheduleIn(Closed):
    """`cron`: five fields in UTC, or hourly, daily, weekly, never.

    Without `instance` it is the project's default.
    """

    cron: Text
    instance: Text | None = None
    keep: Keep | None = None
    method: Text | None = None


class PutSchedule(Wire):
    """POST /backup_schedules."""

    backup_schedule: ScheduleIn


class Schedule(Wire):
    """A schedule; `next_run` and `last_run` are those of its instance."""

    id: str
    project_id: str
    instance_id: str | None
    cron: str
    keep: dict[str, int]
    method: str | None
    next_run: str | None
    last_run: str | None
    created: str
    updated: str


class ScheduleDocument(Wire):
    """One schedule."""

    backup_schedule: Schedule


class ScheduleList(Wire):
    """The project's default, and what instances have instead."""

    backup_schedules: list[Schedule]
