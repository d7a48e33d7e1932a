"""What a new instance may begin with."""

from typing import Any

from coffer.backup_ends import WHOLE, display_backup_status
from coffer.backup_uses import deleter
from coffer.errors import BadRequest, Conflict, Forbidden
from coffer.models import Backup

GIB = 1024**3


def require_restorable(
    backup: Backup, version_id: str, volume_size: int, field: str = "restorePoint.backupRef"
) -> None:
    """Let only a backup pass that fits a new instance of this version and volume (GiB).

    Raises:
        Conflict, BadRequest, Forbidden: as Trove's clients expect of restorePoint.
    """
    status = display_backup_status(backup)
    if status not in WHOLE:
        raise Conflict(f"{field}: backup {backup.id} is {status}, not COMPLETED")
    if busy := deleter(backup.repository_id):
        raise Conflict(
            f"{field}: {busy.kind} (operation {busy.id}) works on the instance's backups: wait"
        )
    if backup.version_id != version_id:
        version = backup.version
        raise BadRequest(
            f"datastore: the backup is of {version.datastore.name} {version.name}, "
            "the instance must be too"
        )
    if (backup.size or 0) > volume_size * GIB:
        raise Forbidden(
            f"volume.size: the backup holds {backup.size} bytes, more than {volume_size} GB"
        )


def row_of(backup: Backup) -> dict[str, Any]:
    """What a playbook that restores a backup needs to know of it."""
    return {
        "id": backup.id,
        "method": backup.method,
        "snapshot": backup.snapshot,
        "size": backup.size,
        **backup.details,
    }
