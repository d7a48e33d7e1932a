"""The sweeper: what died is queued again, what Redis lost is sent again, what is late ends."""

import logging
from datetime import datetime, timedelta
from pathlib import Path

from redis import RedisError

from coffer import audit
from coffer.clock import utcnow
from coffer.database import database, transaction
from coffer.lifecycle import begin, close, give_up
from coffer.models import Instance, Operation
from coffer.operations import ACTIVE_STATES, KINDS, State
from worker.context import Context, context
from worker.events import note
from worker.rundir import discard

log = logging.getLogger(__name__)

_LEFT_BEHIND = timedelta(seconds=3)
"""A queued operation younger than this is on its way by itself."""
_PAUSE = timedelta(minutes=10)
"""Between two tries to delete what could not be deleted."""


def sweep() -> None:
    """One round; RQ's cron asks for one every few seconds. Each step stands alone."""
    collaborators = context()
    with database.connection_context():
        for step in STEPS:
            try:
                step(collaborators, utcnow())
            except RedisError as error:
                log.warning("%s: Redis is away: %s", step.__name__, error)
            except Exception:  # one step's trouble is not that of the others
                log.exception("%s: this round did not get through", step.__name__)


def end_dead_leases(collaborators: Context, now: datetime) -> None:
    """Running operations whose lease ran out: their worker died."""
    dead = Operation.select().where(Operation.state == State.RUNNING, Operation.lease_until < now)
    for operation in list(dead):
        release(operation, now, collaborators)


def release(operation: Operation, now: datetime, collaborators: Context) -> None:
    """Queue an operation again whose worker died, or end it when its attempts are used up."""
    with transaction():
        row = Operation.get_by_id(operation.id)
        if row.state != State.RUNNING or row.lease_owner != operation.lease_owner:
            return
        freed = _release(row, now)
    for waiting in freed:
        collaborators.dispatcher.send(waiting)


def _release(row: Operation, now: datetime) -> list[Operation]:
    if row.is_by_hand:
        return give_up(row, State.EXPIRED, "the playbook run by hand never ended", now)
    died = f"the worker or its playbook died {row.attempt} times"
    if row.attempt >= row.attempts and row.phase == "undo":
        return close(row.id, State(row.outcome or State.FAILED), row.reason, None, {}, now)
    if row.attempt >= row.attempts:
        return give_up(row, State.FAILED, died, now)
    note(row, "failed", "the worker or its playbook died; the operation goes on by itself")
    row.state, row.lease_owner, row.lease_until = State.QUEUED, None, None
    row.save()
    return [row]


def end_late_queued(collaborators: Context, now: datetime) -> None:
    """Queued operations past their deadline, or aborted between two attempts."""
    late = Operation.select().where(
        Operation.state == State.QUEUED,
        Operation.phase == "do",
        Operation.leader.is_null(),
        (Operation.deadline < now) | Operation.abort_requested,
    )
    for operation in list(late):
        with transaction():
            freed = _end_late(Operation.get_by_id(operation.id), now)
        for waiting in freed:
            collaborators.dispatcher.send(waiting)


def _end_late(row: Operation, now: datetime) -> list[Operation]:
    if row.state != State.QUEUED:
        return []
    aborted = row.abort_requested
    state = State.ABORTED if aborted else State.EXPIRED
    reason = "aborted by the user" if aborted else "the deadline passed before a worker was free"
    if row.attempt == 0:
        return close(row.id, state, reason, None, {}, now)
    return give_up(row, state, reason, now)


def send_queued(collaborators: Context, now: datetime) -> None:
    """Queued operations that Redis does not know: it was away, or it was emptied."""
    queued = Operation.select().where(
        Operation.state == State.QUEUED,
        Operation.leader.is_null(),
        Operation.created < now - _LEFT_BEHIND,
    )
    for operation in queued.order_by(Operation.created):
        if operation.lock or not _is_held(operation):
            collaborators.dispatcher.send(operation)


def _is_held(operation: Operation) -> bool:
    return Operation.get_or_none(Operation.lock == operation.instance_id) is not None


def clean_run_directories(collaborators: Context, _now: datetime) -> None:
    """Directories (with secrets in them) of runs that are over: their worker was killed."""
    root = Path(collaborators.settings.run_directory) / "operations"
    if not root.is_dir():
        return
    running = {
        row.id for row in Operation.select(Operation.id).where(Operation.state.in_(ACTIVE_STATES))
    }
    for path in root.iterdir():
        if path.name not in running:
            discard(path)


def silence(collaborators: Context, _now: datetime) -> None:
    """Guests that have not reported for too long."""
    collaborators.reports.mark_silent(collaborators.settings.silent_after)


def forget_audit(collaborators: Context, now: datetime) -> None:
    """Records of the audit that are older than the installation keeps them."""
    days = collaborators.settings.audit_days
    if days > 0:
        audit.forget(now - timedelta(days=days))


def clear_scratch(collaborators: Context, now: datetime) -> None:
    """Guests of verifications that failed, perhaps in their undo too: again until they are gone."""
    left = Instance.select().where(
        Instance.deleted.is_null(False), Instance.state == "ERROR", Instance.updated < now - _PAUSE
    )
    for instance in list(left):
        with transaction():
            if Operation.get_or_none(Operation.lock == instance.id):
                continue
            operation = begin(KINDS["instance_delete"], instance, user="sweeper", request_id="")
        collaborators.dispatcher.send(operation)


def begin_scheduled(collaborators: Context, now: datetime) -> None:
    """Backups whose turn it is."""
    collaborators.rounds.begin_due(now)


def retire_scheduled(collaborators: Context, _now: datetime) -> None:
    """Backups that their schedule's rules keep no longer."""
    collaborators.rounds.retire()


def go_on_with_patches(collaborators: Context, now: datetime) -> None:
    """Patch runs: what has ended is settled, what is next is begun."""
    collaborators.patch_rounds.go_on(now)


STEPS = (
    end_dead_leases,
    end_late_queued,
    send_queued,
    clean_run_directories,
    silence,
    forget_audit,
    clear_scratch,
    begin_scheduled,
    retire_scheduled,
    go_on_with_patches,
)
"""What a round does, in this order."""
