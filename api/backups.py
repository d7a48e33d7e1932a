"""Backups: finding them, and how they are shown."""

from msgspec import UNSET

from api.call import Call
from api.schemas import backup as wire
from api.schemas.common import last_segment
from api.schemas.instance import RestorePoint
from coffer.backup_ends import display_backup_status
from coffer.clock import timestamp, timestamp_or_none
from coffer.datastores import find_version_by_id
from coffer.errors import BadRequest, NotFound
from coffer.models import Backup, Instance
from coffer.points import Point, find_point
from coffer.registrations import Registration

GIB = 1024**3


def find_backup(call: Call, backup_id: str) -> Backup:
    """A backup that the caller may see.

    Raises:
        NotFound: there is none of that id in the project (in any project, for admins).
    """
    row = Backup.get_or_none(Backup.id == backup_id)
    if row is None or not (call.identity.is_admin or row.project_id == call.project_id):
        raise NotFound(f"backup '{backup_id}' does not exist")
    found: Backup = row
    return found


def find_restore_point(
    call: Call, given: RestorePoint | None
) -> tuple[Backup | None, Point | None]:
    """What a new instance begins with, and the point in time that it is carried on to.

    Raises:
        BadRequest, NotFound: naming the field.
    """
    if given is None:
        return None, None
    if (given.backupRef is UNSET) == (given.instance is UNSET):
        raise BadRequest("restorePoint: give backupRef, or instance and to")
    if (given.to is UNSET) != (given.instance is UNSET):
        raise BadRequest("restorePoint: instance and to go together")
    if given.backupRef is not UNSET:
        return find_backup(call, last_segment(str(given.backupRef))), None
    point = find_point(find_repository(call, last_segment(str(given.instance))), str(given.to))
    return point.backup, point


def find_repository(call: Call, instance_id: str) -> str:
    """The id of an instance, which may be gone, whose backups the caller may see.

    Raises:
        NotFound: there is none of that id in the project.
    """
    row = Instance.get_or_none(Instance.id == instance_id)
    if row is None or not (call.identity.is_admin or row.project_id == call.project_id):
        raise NotFound(f"instance '{instance_id}' does not exist")
    return str(row.id)


def registration_of(given: wire.BackupIn, there: wire.RestoreFrom) -> Registration:
    """The backup that shall be registered.

    Raises:
        BadRequest: naming the field.
    """
    if there.key is UNSET:
        raise BadRequest("restore_from.key: is required: the key that the backup is encrypted with")
    try:
        version = find_version_by_id(there.local_datastore_version_id)
    except NotFound as error:
        raise BadRequest(f"restore_from.local_datastore_version_id: {error}") from error
    return Registration(
        name=given.name,
        description=given.description,
        location=there.remote_location,
        key=str(there.key),
        version=version,
    )


def location_of(backup: Backup, region: str) -> str | None:
    """Where it lies, for who registers it with another control plane."""
    if backup.snapshot is None:
        return None
    source = backup.repository.source or region
    return f"coffer://{source}/{backup.repository_id}/{backup.snapshot}"


def backup_view(backup: Backup, region: str) -> wire.Backup:
    """A backup, always in full; `region` is this installation's."""
    version = backup.version
    return wire.Backup(
        id=backup.id,
        name=backup.name,
        description=backup.description,
        locationRef=location_of(backup, region),
        instance_id=backup.instance_id,
        created=timestamp(backup.created),
        updated=timestamp(backup.updated),
        size=None if backup.size is None else round(backup.size / GIB, 3),
        status=display_backup_status(backup),
        parent_id=backup.parent_id,
        project_id=backup.project_id,
        datastore=wire.DatastoreOfBackup(
            type=version.datastore.name, version=version.name, version_id=version.id
        ),
        method=backup.method,
        stored_bytes=backup.stored,
        seconds=backup.seconds,
        snapshot=backup.snapshot,
        reason=backup.reason,
        operation_id=backup.operation_id,
        verified=backup.verified,
        verified_at=timestamp_or_none(backup.verified_at),
        verify_reason=backup.verify_reason,
    )
