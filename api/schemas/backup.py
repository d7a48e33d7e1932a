"""Backups on the wire (Trove v1.0), with Coffer's own fields after Trove's."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from api.schemas.common import Closed, Link, Name, Text, Wire

Description = Annotated[str, Meta(max_length=4096)]


class RestoreFrom(Wire):
    """A backup that another control plane made; `size` (GB) is Trove's, and not needed."""

    remote_location: Annotated[str, Meta(max_length=512)]
    local_datastore_version_id: Text
    key: Text | UnsetType = UNSET
    size: float | None = None


class BackupIn(Wire):
    """A new backup; `instance` is an id, or a URL that ends in one."""

    name: Name
    instance: Text | UnsetType = UNSET
    description: Description | None = None
    incremental: bool | Literal[0, 1] | None = None
    parent_id: Text | None = None
    method: Text | None = None
    restore_from: RestoreFrom | UnsetType | None = UNSET


class CreateBackup(Wire):
    """POST /backups."""

    backup: BackupIn


class DatastoreOfBackup(Wire):
    """Names, and the version's id."""

    type: str
    version: str
    version_id: str


class Backup(Wire):
    """A backup; `size` in GB, the sizes of Coffer's own fields in bytes."""

    id: str
    name: str
    description: str | None
    locationRef: str | None
    instance_id: str | None
    created: str
    updated: str
    size: float | None
    status: str
    parent_id: str | None
    project_id: str
    datastore: DatastoreOfBackup
    method: str
    stored_bytes: int | None
    seconds: float | None
    snapshot: str | None
    reason: str | None
    operation_id: str | None
    verified: bool | None
    verified_at: str | None
    verify_reason: str | None


class BackupAction(Closed):
    """POST /backups/{id}/action: exactly one key."""

    verify: dict[str, Any] | UnsetType | None = UNSET


class BackupKey(Wire):
    """POST /backups/{id}/key: what opens the repository that the backup lies in."""

    key: str


class BackupDocument(Wire):
    """One backup."""

    backup: Backup


class BackupList(Wire):
    """A page of backups, the one that changed last first."""

    backups: list[Backup]
    links: list[Link] | UnsetType = UNSET
    backups_links: list[Link] | UnsetType = UNSET
