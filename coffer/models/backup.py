"""Backups, and the repositories in which they lie."""

import peewee

from coffer.clock import utcnow
from coffer.models.base import Record, id_field
from coffer.models.datastore import DatastoreVersion
from coffer.models.instance import Instance


class Repository(Record):
    """Where all backups of one instance lie; it outlives the instance."""

    id = peewee.CharField(36, primary_key=True)
    """The instance's id: also its user at the gateway, and its directory."""
    source = peewee.CharField(255, default="")
    """Whose it is, as the setting `backup_sources` names it; empty: this installation's own."""
    project_id = peewee.CharField(255, index=True)
    keys = peewee.TextField()
    """Encrypted: `repository`, restic's password, and `gateway`, the guest's at the gateway."""
    gateway_hash = peewee.CharField(255)
    """The line of the gateway's users, after the name."""
    chains = peewee.JSONField(null=True)
    """Logs that guests sent without a gap: `chain`, and `since` and `until` in unix seconds."""
    created = peewee.DateTimeField(default=utcnow)


class Backup(Record):
    """One backup of one instance: whole in itself, whatever its parent."""

    id = id_field()
    project_id = peewee.CharField(255, index=True)
    name = peewee.CharField(255)
    description = peewee.TextField(null=True)
    instance = peewee.ForeignKeyField(Instance, backref="backups", null=True)
    instance_id: str | None
    version = peewee.ForeignKeyField(DatastoreVersion, on_delete="RESTRICT")
    version_id: str
    repository = peewee.ForeignKeyField(Repository, backref="backups", on_delete="RESTRICT")
    repository_id: str
    parent = peewee.ForeignKeyField("self", backref="children", null=True, on_delete="SET NULL")
    parent_id: str | None
    method = peewee.CharField(16)
    """`physical` or `logical`."""
    status = peewee.CharField(16, default="NEW")
    """`NEW` until its operation ended; shown as `BUILDING` while that runs."""
    operation_id = peewee.CharField(36, null=True)
    """The operation that makes or deletes it."""
    reason = peewee.TextField(null=True)

    snapshot = peewee.CharField(64, null=True)
    size = peewee.BigIntegerField(null=True)
    """Bytes of data that a restore brings back."""
    stored = peewee.BigIntegerField(null=True)
    """Bytes that were new to the repository."""
    seconds = peewee.FloatField(null=True)
    details = peewee.JSONField(default=dict)
    """What a restore needs to know (`kind`, `path`, `position`), and what there was (`counts`)."""

    verified = peewee.BooleanField(null=True)
    """Whether the last verification proved that it can be restored; None before any."""
    verified_at = peewee.DateTimeField(null=True)
    verify_reason = peewee.TextField(null=True)
    """Why it did not."""

    scheduled = peewee.BooleanField(default=False)
    """Made by a schedule, whose rules say how long it is kept."""
    weighed = peewee.BooleanField(default=False)
    """Those rules have been looked at since it was made."""

    created = peewee.DateTimeField(default=utcnow, index=True)
    updated = peewee.DateTimeField(default=utcnow)
