"""Rules of an operation's life: begin, lease, renew, undo, end, retry, abort.

Each function is one transaction, or says that it runs inside the caller's. Ends and renewals name
the lease's owner, so that a worker that lost its lease can change nothing.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import peewee

from coffer.clock import utcnow
from coffer.database import transaction
from coffer.errors import LeaseLost, Unprocessable
from coffer.models import Instance, Operation
from coffer.operations import ACTIVE_STATES, KINDS, Kind, State
from coffer.order import must_wait, under_way
from coffer.outcomes import apply_end
from coffer.parts import (
    Part,
    active_parts,
    leaders,
    queue_parts_again,
    take_parts,
)
from coffer.replica_ends import left_behind, source_of
from coffer.retries import require_retryable
from coffer.turns import give_turn, next_in_turn, patience, to_stop

LEASE_SECONDS = 30
Clock = Callable[[], datetime]


def begin(
    kind: Kind,
    instance: Instance,
    *,
    user: str,
    request_id: str,
    changes: dict[str, Any] | None = None,
    parameters: dict[str, Any] | None = None,
    parts: Sequence[Part] = (),
    before: Operation | None = None,
    runner: str = "worker",
    clock: Clock = utcnow,
) -> Operation:
    """Write a queued operation and its parts; runs inside the caller's transaction.

    `before` makes the backup that it waits for (see turns.py).

    Raises:
        Unprocessable: another operation has one of the instances and this kind does not wait.
    """
    who: dict[str, Any] = {"user": user, "request_id": request_id, "runner": runner}
    given = {"changes": changes or {}, "parameters": parameters or {}}
    operation = _queue(kind, instance, clock(), before, **who, **given)
    for part in parts:
        of_part = KINDS[kind.part or kind.name]
        more = {"leader": operation, "changes": part.changes}
        _queue(of_part, part.instance, clock(), None, **who, **more)
    return operation


def _queue(
    kind: Kind, instance: Instance, now: datetime, before: Operation | None, **columns: Any
) -> Operation:
    earlier = under_way(instance.id)
    holder = next((row for row in earlier if row != before), None)
    if holder and not kind.waits:
        raise _busy(instance, f"{holder.kind} (operation {holder.id}) is {holder.state}")
    if kind.status:
        instance.task = kind.status
        instance.updated = now
        instance.save()
    operation = Operation(
        kind=kind.name,
        project_id=instance.project_id,
        instance=instance,
        lock=None if earlier else instance.id,
        state=State.QUEUED,
        attempts=kind.attempts,
        deadline=now + timedelta(seconds=kind.deadline) + patience(before),
        created=now,
        **columns,
    )
    try:
        operation.save(force_insert=True)
    except peewee.IntegrityError as error:  # another request won the lock a moment ago
        raise _busy(instance, "another operation has just begun") from error
    return operation


def _busy(instance: Instance, why: str) -> Unprocessable:
    return Unprocessable(f"instance {instance.id} is busy: {why}; wait for it or abort it")


def lease(operation_id: str, owner: str, clock: Clock = utcnow) -> Operation | None:
    """Win the operation for `owner`, or None: someone else has it, it ended, or it must wait."""
    now = clock()
    try:
        with transaction():
            if must_wait(operation_id):
                return None
            won = (
                Operation.update(
                    state=State.RUNNING,
                    lock=Operation.instance,
                    attempt=Operation.attempt + 1,
                    lease_owner=owner,
                    lease_until=now + timedelta(seconds=LEASE_SECONDS),
                    started=peewee.fn.COALESCE(Operation.started, now),
                )
                .where(
                    Operation.id == operation_id,
                    Operation.state == State.QUEUED,
                    Operation.leader.is_null(),
                )
                .execute()
            )
            if won:
                take_parts(operation_id, now)
    except peewee.IntegrityError:  # a lock: another operation works on the instance
        return None
    return Operation.get_by_id(operation_id) if won else None


def renew(operation: Operation, clock: Clock = utcnow) -> Operation:
    """Prolong the lease; returns the fresh row (`abort_requested` may have come).

    Raises:
        LeaseLost: the operation is no longer this owner's.
    """
    until = clock() + timedelta(seconds=LEASE_SECONDS)
    if not _mine(operation, lease_until=until):
        raise LeaseLost(operation.id)
    fresh: Operation = Operation.get_by_id(operation.id)
    return fresh


def start_undo(
    operation: Operation, outcome: State, reason: str, failing_task: str | None
) -> Operation:
    """Record why the work failed and go on with the undo playbook under the same lease.

    Raises:
        LeaseLost: the operation is no longer this owner's.
    """
    recorded = _mine(
        operation, phase="undo", outcome=outcome, reason=reason, failing_task=failing_task
    )
    if not recorded:
        raise LeaseLost(operation.id)
    fresh: Operation = Operation.get_by_id(operation.id)
    return fresh


def queue_undo(operation: Operation, outcome: State, reason: str) -> None:
    """Leave the undo to whichever worker is free; runs inside the caller's transaction."""
    operation.state, operation.phase = State.QUEUED, "undo"
    operation.outcome, operation.reason = outcome, reason
    operation.attempts = operation.attempt + KINDS[operation.kind].attempts
    operation.lease_owner = operation.lease_until = None
    operation.save()


def give_up(operation: Operation, outcome: State, reason: str, now: datetime) -> list[Operation]:
    """End a run that nobody sees through: undo it, where there is an undo; in a transaction.

    Returns the operations that may run now.
    """
    if KINDS[operation.kind].undo is None:
        return close(operation.id, outcome, reason, None, {}, now)
    queue_undo(operation, outcome, reason)
    return [operation]


def end(
    operation: Operation,
    state: State,
    *,
    reason: str | None = None,
    failing_task: str | None = None,
    facts: dict[str, Any] | None = None,
    clock: Clock = utcnow,
) -> list[Operation]:
    """End a leased operation and apply what follows to its instance, in one transaction.

    Returns the operations that waited for this one and may run now.

    Raises:
        LeaseLost: the operation is no longer this owner's.
    """
    with transaction():
        if not _mine(operation, lease_owner=operation.lease_owner):
            raise LeaseLost(operation.id)
        return close(operation.id, state, reason, failing_task, facts or {}, clock())


def close(
    operation_id: str,
    state: State,
    reason: str | None,
    failing_task: str | None,
    facts: dict[str, Any],
    now: datetime,
) -> list[Operation]:
    """End an operation whoever holds it; runs inside the caller's transaction."""
    operation = Operation.get_by_id(operation_id)
    operation.state = state
    operation.reason = reason
    operation.failing_task = failing_task
    operation.result = facts
    operation.ended = now
    operation.lock = operation.lease_owner = operation.lease_until = None
    operation.save()
    source = source_of(operation)
    freed = apply_end(operation, now)
    for part in active_parts(operation):
        freed += close(part.id, state, reason, None, {}, now)
    freed = _go_on(operation, freed, now)
    who: dict[str, Any] = {"user": operation.user, "request_id": operation.request_id}
    for instance in left_behind(operation, source):
        freed.append(begin(KINDS["access_update"], instance, **who, clock=lambda: now))
    return leaders(freed)


def _go_on(operation: Operation, freed: list[Operation], now: datetime) -> list[Operation]:
    """What waited for the backup that an ended operation was to make has its turn, or none."""
    waiting = next_in_turn(operation)
    if waiting is None:
        return freed
    if operation.state != State.SUCCEEDED:
        reason = f"the backup before it {operation.state}: {operation.reason}"
        return close(waiting.id, State(operation.state), reason, None, {}, now)
    give_turn(waiting, now)
    return freed


def retry(
    operation: Operation,
    admit: Callable[[Operation], None] = lambda _operation: None,
    clock: Clock = utcnow,
) -> Operation:
    """Queue an ended operation again, with a fresh deadline and its full number of attempts.

    `admit` is asked in the same transaction, and raises what forbids it.

    Raises:
        Unprocessable: it has not failed, a later operation has run since, or another is running.
    """
    with transaction():
        operation = Operation.get_by_id(operation.id)
        require_retryable(operation)
        admit(operation)
        kind, now = KINDS[operation.kind], clock()
        operation.state, operation.phase, operation.outcome = State.QUEUED, "do", None
        operation.lock = operation.instance_id
        operation.attempts = operation.attempt + kind.attempts
        operation.abort_requested = False
        operation.deadline = now + timedelta(seconds=kind.deadline)
        operation.reason = operation.failing_task = operation.ended = None
        operation.save()
        queue_parts_again(operation, now)
        if kind.status:
            Instance.update(task=kind.status, updated=now).where(
                Instance.id == operation.instance_id
            ).execute()
    return operation


def abort(operation: Operation, clock: Clock = utcnow) -> list[Operation]:
    """Stop an operation: at once when nothing ran yet, else as soon as its worker sees it.

    What is run by hand has no worker until then: one takes it back, where that can be.

    Of a part it is its leader that is stopped, of what waits for a backup the making of that.

    Raises:
        Unprocessable: it has ended already.
    """
    with transaction():
        operation = to_stop(Operation.get_by_id(operation.leader_id or operation.id))
        if operation.state not in ACTIVE_STATES:
            raise Unprocessable(f"operation {operation.id} is {operation.state}: nothing to abort")
        reason = "aborted by the user"
        if operation.state == State.QUEUED and operation.attempt == 0:
            return close(operation.id, State.ABORTED, reason, None, {}, clock())
        if operation.is_by_hand:
            return give_up(operation, State.ABORTED, reason, clock())
        Operation.update(abort_requested=True).where(Operation.id == operation.id).execute()
    return []


def _mine(operation: Operation, **values: Any) -> bool:
    """Change columns of a running operation if this owner's lease on this attempt still holds."""
    changed: int = (
        Operation.update(**values)
        .where(
            Operation.id == operation.id,
            Operation.state == State.RUNNING,
            Operation.lease_owner == operation.lease_owner,
            Operation.attempt == operation.attempt,
        )
        .execute()
    )
    return changed == 1
