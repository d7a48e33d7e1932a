"""API tokens, stored as hashes."""

import peewee

from coffer.clock import utcnow
from coffer.models.base import Record, id_field


class Token(Record):
    """Opens one project with the given roles until it expires or is revoked (deleted)."""

    id = id_field()
    hash = peewee.CharField(64, unique=True)
    name = peewee.CharField(255)
    user = peewee.CharField(255)
    project_id = peewee.CharField(255)
    roles = peewee.JSONField(default=list)
    created = peewee.DateTimeField(default=utcnow)
    expires = peewee.DateTimeField(null=True)
