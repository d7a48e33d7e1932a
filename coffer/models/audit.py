"""The audit: every change that was asked for, and how it was answered."""

import peewee

from coffer.clock import utcnow
from coffer.models.base import Record


class AuditRecord(Record):
    """One request that was to change something. Rows are added and answered once, never changed."""

    id = peewee.BigAutoField()
    at = peewee.DateTimeField(default=utcnow, index=True)
    user = peewee.CharField(255)
    project_id = peewee.CharField(255, index=True)
    roles = peewee.CharField(255)
    address = peewee.CharField(255)
    """Of the client; behind a proxy `CLIENT via PROXY`, of which only the last is certain."""
    method = peewee.CharField(8)
    path = peewee.TextField()
    request_id = peewee.CharField(64, index=True)
    status = peewee.IntegerField(null=True)
    """The answer's; null: the service died before it had one."""
    operation_id = peewee.CharField(36, null=True)
    """The operation that the request started: its end is the change's own."""
