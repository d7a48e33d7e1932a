"""Instances: what is wanted, beside what was last observed."""

from typing import Any

import peewee

from coffer.clock import utcnow
from coffer.models.base import Record, id_field
from coffer.models.configuration import Configuration
from coffer.models.datastore import DatastoreVersion


class Instance(Record):
    """One database server of one project."""

    id = id_field()
    project_id = peewee.CharField(255, index=True)
    name = peewee.CharField(255)

    # Wanted.
    version_id: str
    version = peewee.ForeignKeyField(DatastoreVersion, backref="instances", on_delete="RESTRICT")
    provider = peewee.CharField(64)
    flavor_id = peewee.CharField(255)
    volume_size = peewee.IntegerField()
    """GiB of the data volume."""
    access = peewee.JSONField(default=dict)
    """`is_public` and `allowed_cidrs`, as they were asked for."""

    configuration = peewee.ForeignKeyField(
        Configuration, backref="instances", null=True, on_delete="RESTRICT"
    )
    configuration_id: str | None
    defaults = peewee.JSONField(null=True)
    """Settings that the engine's role gives an instance of this size, without its group."""
    logs: Any = peewee.JSONField(null=True)
    """What was switched: true or false by a log's name; other logs are as the engine has them."""
    root_enabled = peewee.BooleanField(default=False)
    locality = peewee.CharField(32, null=True)
    """Whether its replicas stand on its host (`affinity`, …), if it was asked for."""
    source = peewee.ForeignKeyField("self", backref="replicas", null=True, index=False)
    """The instance whose changes it follows, of a replica."""
    source_id: str | None

    # Where it stands.
    state = peewee.CharField(16)
    """`BUILD` until it first ran, then `ACTIVE`; `ERROR` when an operation left it unusable."""
    task = peewee.CharField(32, null=True)
    """The status word of the operation under way (see operations.py), none between operations."""
    restart_required = peewee.BooleanField(default=False)
    """Settings were written that only take effect when the engine starts again."""
    fault_message = peewee.TextField(null=True)
    fault_created = peewee.DateTimeField(null=True)

    scheduled = peewee.DateTimeField(null=True)
    """The moment of its schedule that its last scheduled backup was for."""
    engine_version = peewee.CharField(255, default="")
    """The exact version that was installed last; empty means the datastore version's."""

    # Observed.
    compute = peewee.JSONField(default=dict)
    """Facts that the provider left: `server_id`, `address`, `volume_id`, …"""
    operating_status = peewee.CharField(32, default="")
    observed = peewee.JSONField(default=dict)
    """The parts of the guest's last changed report that reads answer from."""
    pending_packages: Any = peewee.IntegerField(null=True)
    """Security updates that the guest lacked when it last counted; lists show them."""
    reported = peewee.DateTimeField(null=True)
    report_sequence = peewee.BigIntegerField(default=0)

    # Identity.
    host_key_public = peewee.TextField()
    guest_token_hash = peewee.CharField(64, null=True, unique=True)
    next_token_hash: Any = peewee.CharField(64, null=True, unique=True)
    """Of a guest that is made anew: taken beside the other one, in its place when that is done."""

    created = peewee.DateTimeField(default=utcnow)
    updated = peewee.DateTimeField(default=utcnow)
    deleted = peewee.DateTimeField(null=True, index=True)

    class Meta:
        indexes = (
            (("project_id", "deleted", "id"), False),
            (("source", "deleted"), False),
        )
