"""What the end of an operation means for its backup, and how a backup's status is shown."""

from datetime import datetime

from coffer.backup_uses import DELETES, VERIFIES
from coffer.models import Backup, Operation
from coffer.operations import ACTIVE_STATES, State

NEW, BUILDING = "NEW", "BUILDING"
COMPLETED, FAILED, DELETE_FAILED = "COMPLETED", "FAILED", "DELETE_FAILED"
RESTORED = "RESTORED"
"""Another control plane has made it."""
WHOLE = (COMPLETED, RESTORED)
"""There is data to restore."""
RUNNING = (NEW, BUILDING)
FACTS = ("snapshot", "size", "stored", "seconds", "details")
"""Columns that the playbook's facts fill."""
MAKES = "backup_create"
REWINDS = "instance_rewind"
"""Makes a safety backup on its way, which is complete as soon as there are facts of it."""


def settle_backup(operation: Operation, now: datetime) -> None:
    """Write what an ended operation made of its backups; runs inside the caller's transaction."""
    if operation.kind == MAKES:
        _settle_made(Backup.get_by_id(operation.parameters["coffer_backup"]["id"]), operation, now)
    elif operation.kind == REWINDS:
        _settle_safety(operation, now)
    elif operation.kind == DELETES:
        _settle_deleted(operation, now)
    elif operation.kind == VERIFIES:
        _settle_verified(operation, now)


def _settle_safety(operation: Operation, now: datetime) -> None:
    backup = Backup.get_by_id(operation.parameters["coffer_safety"]["id"])
    facts = operation.result.get("backup")
    for column in FACTS if facts else ():
        setattr(backup, column, facts[column])
    backup.status = COMPLETED if facts else FAILED
    backup.reason = None if facts else operation.reason
    backup.updated = now
    backup.save()


def _settle_made(backup: Backup, operation: Operation, now: datetime) -> None:
    facts = operation.result.get("backup") or {}
    if operation.state == State.SUCCEEDED:
        for column in FACTS:
            setattr(backup, column, facts[column])
    backup.status = COMPLETED if operation.state == State.SUCCEEDED else FAILED
    backup.reason = operation.reason
    backup.updated = now
    backup.save()


def _settle_deleted(operation: Operation, now: datetime) -> None:
    rows = Backup.id.in_(operation.parameters["coffer_backups"])
    if operation.state == State.SUCCEEDED:
        Backup.delete().where(rows).execute()
        return
    if operation.attempt:  # else nothing was touched; what was never made stays FAILED
        touched = Backup.update(status=DELETE_FAILED, reason=operation.reason, updated=now)
        touched.where(rows, Backup.status != FAILED).execute()


def _settle_verified(operation: Operation, now: datetime) -> None:
    """What was aborted or came too late says nothing of the backup."""
    if operation.state not in (State.SUCCEEDED, State.FAILED):
        return
    proven = operation.state == State.SUCCEEDED
    Backup.update(
        verified=proven, verified_at=now, verify_reason=None if proven else operation.reason
    ).where(Backup.id == operation.parameters["coffer_backup"]["id"]).execute()


def display_backup_status(backup: Backup) -> str:
    """Trove's word: while its making is queued or runs, what that says, else what is recorded."""
    if backup.operation_id is None:
        return str(backup.status)
    operation = Operation.get_or_none(Operation.id == backup.operation_id)
    if operation is None or operation.state not in ACTIVE_STATES or operation.kind == DELETES:
        return str(backup.status)
    return BUILDING if operation.state == State.RUNNING else NEW
