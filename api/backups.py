"""Backups: finding them, and how they are shown."""

from api.call import Call
from api.schemas import backup as wire
from coffer.backup_ends import display_backup_status
from coffer.clock import timestamp
from coffer.errors import NotFound
from coffer.models import Backup

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


def backup_view(backup: Backup) -> wire.Backup:
    """A backup, always in full."""
    version = backup.version
    return wire.Backup(
        id=backup.id,
        name=backup.name,
        description=backup.description,
        locationRef=None,
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
    )
