"""Patch runs: which instances are patched, in which waves, and how far that has come."""

from typing import Any

import peewee

from coffer.clock import utcnow
from coffer.models.base import Record, id_field
from coffer.models.instance import Instance


class PatchRun(Record):
    """What was asked for, and where it stands; the sweeper goes on with it."""

    members: Any
    """Its instances (a query)."""

    id = id_field()
    project_id = peewee.CharField(255, index=True)
    does = peewee.CharField(16, default="patch")
    """`patch`, or `plan` and `rehearse`, which leave the instances alone."""
    selector = peewee.JSONField(default=dict)
    """How the instances were chosen, for the record; empty when they were named."""
    packages: Any = peewee.CharField(16)
    waves = peewee.CharField(255)
    max_failures = peewee.IntegerField(default=0)
    pause: Any = peewee.FloatField(default=0.0)
    """Seconds between two waves."""
    backup = peewee.BooleanField(default=True)
    """An instance without a fresh backup is backed up first."""
    force = peewee.BooleanField(default=False)
    """Maintenance windows are overridden."""

    state = peewee.CharField(16, index=True)
    reason: Any = peewee.TextField(null=True)
    """Why it does not go on: a pause, a window, failures."""
    wave = peewee.IntegerField(default=1)
    waits_until: Any = peewee.DateTimeField(null=True)

    user = peewee.CharField(255, default="")
    request_id = peewee.CharField(64, default="")
    created = peewee.DateTimeField(default=utcnow, index=True)
    ended = peewee.DateTimeField(null=True)


class PatchMember(Record):
    """One instance of a run."""

    id = peewee.BigAutoField()
    run = peewee.ForeignKeyField(PatchRun, backref="members", on_delete="CASCADE")
    run_id: str
    instance = peewee.ForeignKeyField(Instance)
    instance_id: str
    lock = peewee.CharField(36, null=True, unique=True)
    """The instance's id until the run is over: an instance is in one run at a time."""
    wave = peewee.IntegerField()
    state = peewee.CharField(16)
    operation_id = peewee.CharField(36, null=True, index=True)
    """The operation that is under way or was the last."""
    problem: Any = peewee.TextField(default="")
