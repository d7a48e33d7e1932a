"""Operations that a backup comes before: begun with it, they have their turn when it is there.

Both are recorded in one transaction, and the end of the backup's operation is one with what follows
for the other: whichever process dies in between, no change begins without its backup.
"""

from datetime import datetime, timedelta

from coffer.backup_ends import MAKES
from coffer.models import Backup, Operation
from coffer.operations import ACTIVE_STATES, KINDS, State

PROTECTED_BY = "coffer_protected_by"
"""The parameter of an operation that names the backup from before it."""


def awaited(operation: Operation) -> Operation | None:
    """The making of the operation's backup, which has not ended, or not well."""
    named = operation.parameters.get(PROTECTED_BY)
    if named is None or operation.attempt or operation.lock:
        return None
    made = Backup.select(Backup.operation_id).where(Backup.id == named)
    found: Operation | None = Operation.get_or_none(
        Operation.id.in_(made), Operation.kind == MAKES, Operation.state != State.SUCCEEDED
    )
    return found


def next_in_turn(operation: Operation) -> Operation | None:
    """The operation that waits for the backup that this one makes."""
    if operation.kind != MAKES:
        return None
    rows = Operation.select().where(
        Operation.instance == operation.instance_id,
        Operation.state == State.QUEUED,
        Operation.lock.is_null(),
    )
    made = operation.parameters["coffer_backup"]["id"]
    return next((row for row in rows if row.parameters.get(PROTECTED_BY) == made), None)


def give_turn(operation: Operation, now: datetime) -> None:
    """Hand the instance over, so that nothing comes between; inside the caller's transaction."""
    operation.lock = operation.instance_id
    operation.deadline = now + timedelta(seconds=KINDS[operation.kind].deadline)
    operation.save()


def patience(before: Operation | None) -> timedelta:
    """What is added to the deadline of an operation that waits for another one."""
    seconds = KINDS[before.kind].deadline if before is not None else 0
    return timedelta(seconds=seconds)


def to_stop(operation: Operation) -> Operation:
    """What has to be stopped so that the operation ends: the backup's making, while that runs."""
    making = awaited(operation)
    return making if making is not None and making.state in ACTIVE_STATES else operation
