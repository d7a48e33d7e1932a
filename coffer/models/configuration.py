"""Configuration groups: values of engine parameters that instances can share."""

import peewee

from coffer.clock import utcnow
from coffer.models.base import Record, id_field
from coffer.models.datastore import DatastoreVersion


class Configuration(Record):
    """A named set of values for one datastore version."""

    id = id_field()
    project_id = peewee.CharField(255, index=True)
    name = peewee.CharField(255)
    description = peewee.TextField(null=True)
    version_id: str
    version = peewee.ForeignKeyField(DatastoreVersion, on_delete="RESTRICT")
    values = peewee.JSONField(default=dict, column_name="parameter_values")
    created = peewee.DateTimeField(default=utcnow)
    updated = peewee.DateTimeField(default=utcnow)
