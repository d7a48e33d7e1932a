"""What the end of an operation means for its instance."""

from datetime import UTC, datetime

from coffer.backup_ends import settle_backup
from coffer.log_ends import forget_logs, settle_log
from coffer.models import BackupStrategy, Instance, Operation
from coffer.operations import KINDS, Kind, State, secret_of
from coffer.order import task_of, under_way
from coffer.replica_ends import settle_replica
from coffer.secrets import Vault
from coffer.status import HEALTHY

DELETED = "DELETED"
FACTS = {"compute", "defaults"}
"""Facts of an operation that replace the instance's own."""
LISTS = ("databases", "users")
"""Facts of an operation that are also parts of a guest's report."""


def apply_end(operation: Operation, now: datetime) -> list[Operation]:
    """Write an ended operation's consequences; runs inside the caller's transaction.

    Returns the operations that waited for this one and may run now.
    """
    if operation.instance_id is None:
        return []
    settle_backup(operation, now)
    settle_log(operation, now)
    instance = Instance.get_by_id(operation.instance_id)
    kind = KINDS[operation.kind]
    if kind.looks:
        pass  # what it found is in the operation alone
    elif operation.state == State.SUCCEEDED:
        _succeed(instance, operation, kind, now)
    else:
        _fail(instance, operation, kind, now)
    if kind.renews_token:
        if operation.state == State.SUCCEEDED and instance.next_token_hash:
            instance.guest_token_hash = instance.next_token_hash
        instance.next_token_hash = None
    instance.task = task_of(instance.id)
    instance.updated = now
    instance.save()
    return [row for row in under_way(instance.id) if row.state == State.QUEUED]


def _succeed(instance: Instance, operation: Operation, kind: Kind, now: datetime) -> None:
    for column, value in operation.changes.items():
        setattr(instance, column, value)
    for fact in FACTS & operation.result.keys():
        setattr(instance, fact, operation.result[fact])
    if "engine" in operation.result:
        instance.engine_version = operation.result["engine"]["version"]
    if kind.restarts:
        instance.restart_required = False
    if "restart_required" in operation.result:
        instance.restart_required = bool(operation.result["restart_required"])
    settle_replica(instance, operation)
    _observe(instance, operation, kind, now)
    Vault.forget(instance, secret_of(operation.id))
    if kind.end_state == DELETED:
        _bury(instance, now)
    elif kind.end_state:
        instance.state = kind.end_state


def _observe(instance: Instance, operation: Operation, kind: Kind, now: datetime) -> None:
    """What an operation has seen itself, which no older report may replace.

    A restart proves that the engine runs, while the guest's last report may be of the moment in
    which it did not.
    """
    lists = {key: operation.result[key] for key in LISTS if key in operation.result}
    instance.observed = {**instance.observed, **lists}
    if kind.restarts:
        instance.operating_status = HEALTHY
    if lists or kind.restarts:
        instance.report_sequence = int(now.replace(tzinfo=UTC).timestamp() * 1e9)


def _bury(instance: Instance, now: datetime) -> None:
    instance.deleted, instance.state = now, DELETED
    instance.guest_token_hash = None
    instance.compute, instance.observed, instance.operating_status = {}, {}, ""
    instance.source = None
    forget_logs(instance)
    BackupStrategy.delete().where(BackupStrategy.instance_id == instance.id).execute()
    Vault.forget(instance)


def _fail(instance: Instance, operation: Operation, kind: Kind, now: datetime) -> None:
    if operation.leader_id:
        return  # the instance is what it was; its leader's tells why
    if kind.failed_state and (kind.makes or operation.attempt):  # else nothing has happened yet
        instance.state = kind.failed_state
    if kind.makes:
        instance.compute, instance.operating_status = {}, ""
    instance.fault_message = f"{operation.kind} {operation.state}: {operation.reason}"
    instance.fault_created = now
