"""When instances may be worked on."""

from typing import Any

import peewee

from coffer.clock import utcnow
from coffer.models.base import Record, id_field


class MaintenanceWindow(Record):
    """A weekly window: a project's default, or what one instance has instead."""

    id = id_field()
    project_id = peewee.CharField(255)
    target = peewee.CharField(36, default="")
    """Id of the instance, empty in the project's default."""
    days: Any = peewee.JSONField()
    """Days on which it opens: `mon` to `sun`."""
    start: Any = peewee.CharField(5)
    """`HH:MM`, UTC."""
    minutes: Any = peewee.IntegerField()
    """How long it stays open, perhaps past midnight."""
    created = peewee.DateTimeField(default=utcnow)
    updated = peewee.DateTimeField(default=utcnow)

    class Meta:
        indexes = ((("project_id", "target"), True),)
