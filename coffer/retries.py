"""Which ended operations may be tried again: those that nothing has overtaken."""

from coffer.backup_ends import MAKES
from coffer.backup_uses import DELETES, READS, deleter, reader
from coffer.errors import Unprocessable
from coffer.models import Backup, Operation
from coffer.operations import RETRYABLE_STATES
from coffer.order import under_way
from coffer.parts import require_same_set
from coffer.turns import awaited


def require_retryable(operation: Operation) -> None:
    """Let only an operation pass that could be asked for again as it is.

    Raises:
        Unprocessable: saying what has changed since.
    """
    if operation.leader_id:
        raise Unprocessable(f"operation {operation.id} is a part of {operation.leader_id}")
    if operation.state not in RETRYABLE_STATES:
        raise Unprocessable(f"operation {operation.id} is {operation.state}: nothing to retry")
    if operation.runner != "worker":
        raise Unprocessable(f"operation {operation.id} was run by hand: run its playbook again")
    if awaited(operation) is not None:
        raise Unprocessable(f"operation {operation.id} has no backup: ask for a new one instead")
    _require_latest(operation)
    require_same_set(operation)
    _require_backups(operation)


def _require_latest(operation: Operation) -> None:
    if operation.instance_id is None:
        return
    later = Operation.select().where(
        Operation.instance == operation.instance_id, Operation.created > operation.created
    )
    if later.exists():
        raise Unprocessable(
            f"operation {operation.id} is not the instance's latest: ask for a new one instead"
        )
    if busy := under_way(operation.instance_id):
        raise Unprocessable(
            f"instance {operation.instance_id} is busy: {busy[0].kind} (operation {busy[0].id}) "
            f"is {busy[0].state}; wait for it or abort it"
        )


def _require_backups(operation: Operation) -> None:
    """What it makes or reads is still there, and nobody deletes what another one reads."""
    if operation.kind in (MAKES, *READS):
        backup = operation.parameters["coffer_backup"]["id"]
        if Backup.get_or_none(Backup.id == backup) is None:
            raise Unprocessable(f"backup {backup} was deleted: ask for a new one instead")
    repository = operation.parameters.get("coffer_repository")
    busy = deleter(repository) if operation.kind in READS else None
    if operation.kind == DELETES:
        busy = deleter(repository) or reader(repository)
    if busy is not None:
        raise Unprocessable(
            f"{busy.kind} (operation {busy.id}) works on the instance's backups: wait, or abort it"
        )
