"""Logs of guests: how far each was read, and what was read of it, encrypted."""

import peewee

from coffer.clock import utcnow
from coffer.models.base import Record
from coffer.models.instance import Instance


class GuestLog(Record):
    """One log of one instance, once something was read of it; offsets count bytes of text."""

    id: int
    instance = peewee.ForeignKeyField(Instance, backref="guest_logs", on_delete="CASCADE")
    name = peewee.CharField(64)
    file = peewee.BigIntegerField(default=0)
    """Number of the file in the guest; another one means that the log was rotated."""
    position = peewee.BigIntegerField(default=0)
    """Bytes of that file that were read."""
    size = peewee.BigIntegerField(default=0)
    """Bytes that the file had then."""
    start = peewee.BigIntegerField(default=0)
    """Offset of the first byte that is still kept."""
    end = peewee.BigIntegerField(default=0)
    updated = peewee.DateTimeField(default=utcnow)

    class Meta:
        indexes = ((("instance", "name"), True),)


class LogPiece(Record):
    """Lines that were read at once; the content is a Fernet token of a JSON text."""

    log = peewee.ForeignKeyField(GuestLog, backref="pieces", on_delete="CASCADE")
    start = peewee.BigIntegerField()
    end = peewee.BigIntegerField()
    lines = peewee.IntegerField()
    content = peewee.TextField()
    at = peewee.DateTimeField(default=utcnow)
