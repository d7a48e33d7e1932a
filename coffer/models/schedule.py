"""When backups are made by themselves, and which of them are kept."""

import peewee

from coffer.clock import utcnow
from coffer.models.base import Record, id_field


class Schedule(Record):
    """A project's default, or what one instance has instead."""

    id = id_field()
    project_id = peewee.CharField(255)
    target = peewee.CharField(36, default="")
    """Id of the instance, empty in the project's default."""
    cron = peewee.CharField(255)
    """Five fields in UTC, or a preset's name (see timetables.py)."""
    keep = peewee.JSONField(default=dict)
    """How many are kept by rule: `last`, `hourly`, `daily`, `weekly`, `monthly`, `yearly`."""
    method = peewee.CharField(16, null=True)
    since = peewee.DateTimeField(default=utcnow)
    """What came before is not caught up."""
    created = peewee.DateTimeField(default=utcnow)
    updated = peewee.DateTimeField(default=utcnow)

    class Meta:
        indexes = ((("project_id", "target"), True),)
