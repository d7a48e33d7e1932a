"""Secrets of an instance, encrypted at rest."""

import peewee

from coffer.models.base import Record
from coffer.models.instance import Instance


class Secret(Record):
    """One named secret; the value is a Fernet token of a JSON document."""

    instance = peewee.ForeignKeyField(Instance, backref="secrets", on_delete="CASCADE")
    name = peewee.CharField(64)
    value = peewee.TextField()

    class Meta:
        primary_key = peewee.CompositeKey("instance", "name")
