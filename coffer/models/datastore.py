"""Datastores (an engine as users see it) and their versions."""

import peewee

from coffer.clock import utcnow
from coffer.models.base import Record, id_field


class Datastore(Record):
    """An engine on offer, such as `mysql`."""

    id = id_field()
    name = peewee.CharField(255, unique=True)
    default_version_id = peewee.CharField(36, null=True)


class DatastoreVersion(Record):
    """What an instance is made of: the engine's role, its exact version, its image."""

    id = id_field()
    datastore = peewee.ForeignKeyField(Datastore, backref="versions", on_delete="RESTRICT")
    datastore_id: str
    name = peewee.CharField(255)
    version = peewee.CharField(255)
    """The engine's exact number, such as `9.7.4`; it moves on with the engine's catalogue, and
    instances follow by patches."""
    manager = peewee.CharField(255)
    """The engine's role: `engine_<manager>`."""
    image = peewee.CharField(255, null=True)
    image_tags = peewee.JSONField(default=list)
    packages = peewee.JSONField(default=list)
    registry_ext = peewee.CharField(255, default="")
    repl_strategy = peewee.CharField(255, default="")
    """The last two mean nothing here: Trove's administrators may set them."""
    active = peewee.BooleanField(default=True)
    created = peewee.DateTimeField(default=utcnow)

    class Meta:
        indexes = ((("datastore", "name", "version"), True),)
