"""Operations (one change to the world, with a lease, a deadline and an end) and their events."""

from typing import Any

import peewee

from coffer.clock import utcnow
from coffer.models.base import Record, id_field
from coffer.models.instance import Instance


class Operation(Record):
    """One run of one playbook, over as many attempts as the table of operations grants."""

    id = id_field()
    kind = peewee.CharField(64)
    project_id = peewee.CharField(255, index=True)
    instance = peewee.ForeignKeyField(Instance, backref="operations", null=True)
    instance_id: str | None
    lock = peewee.CharField(36, null=True, unique=True)
    """The instance's id while this operation is the one that works on it."""
    leader: Any = peewee.ForeignKeyField("self", backref="parts", null=True)
    """The operation that this one is a part of (see parts.py)."""
    leader_id: str | None
    changes = peewee.JSONField(default=dict)
    """Columns of the instance that become true when the operation succeeds."""
    parameters = peewee.JSONField(default=dict)
    """Further variables for the playbook; never a secret (those are rows of Secret)."""
    runner = peewee.CharField(16, default="worker")
    """`worker`, or `operator` for a playbook run by hand that reports through the API."""

    state = peewee.CharField(16, index=True)
    phase = peewee.CharField(8, default="do")
    """`do`, then `undo` when the work failed and the table names an undo playbook."""
    outcome = peewee.CharField(16, null=True)
    """The end state to take once the undo is over."""
    attempt = peewee.IntegerField(default=0)
    attempts = peewee.IntegerField()
    lease_owner = peewee.CharField(255, null=True)
    lease_until = peewee.DateTimeField(null=True, index=True)
    deadline = peewee.DateTimeField()
    abort_requested = peewee.BooleanField(default=False)

    reason = peewee.TextField(null=True)
    failing_task = peewee.TextField(null=True)
    result = peewee.JSONField(default=dict)

    user = peewee.CharField(255, default="")
    request_id = peewee.CharField(64, default="")
    created = peewee.DateTimeField(default=utcnow, index=True)
    started = peewee.DateTimeField(null=True)
    ended = peewee.DateTimeField(null=True)

    @property
    def is_by_hand(self) -> bool:
        """Whether an operator's playbook works on it; its undo is a worker's like any other."""
        return self.runner != "worker" and self.phase == "do"


class Event(Record):
    """A step of an operation, as Ansible told it."""

    id = peewee.BigAutoField()
    operation = peewee.ForeignKeyField(Operation, backref="events", on_delete="CASCADE")
    attempt = peewee.IntegerField()
    at = peewee.DateTimeField(default=utcnow)
    play = peewee.TextField(default="")
    task = peewee.TextField(default="")
    role = peewee.TextField(null=True)
    host = peewee.TextField(null=True)
    state = peewee.CharField(16)
    seconds = peewee.FloatField(null=True)
    message = peewee.TextField(null=True)
