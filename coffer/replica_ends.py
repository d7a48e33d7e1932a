"""What the end of an operation means for who follows whom."""

from coffer.models import Instance, Operation
from coffer.operations import State

CREATES = "replica_create"
EJECTS = "replica_eject"
LEAVES = ("replica_detach", "instance_delete")
"""Kinds after which a replica is one no longer."""


def settle_replica(instance: Instance, operation: Operation) -> None:
    """Write who follows whom after an eject, whose playbook chose the new source."""
    if operation.kind != EJECTS or operation.leader_id is None:
        return
    chosen = _chosen(operation)
    instance.source = None if instance.id == chosen else chosen
    instance.root_enabled = operation.leader.instance.root_enabled


def source_of(operation: Operation) -> Instance | None:
    """Whom the operation's instance follows."""
    found: Instance | None = operation.instance.source if operation.instance else None
    return found


def left_behind(operation: Operation, source: Instance | None) -> list[Instance]:
    """Instances whose engine must no longer let in a guest that has left.

    `source` is the one that the operation's instance followed before.
    """
    if operation.kind == EJECTS and operation.leader_id and operation.state == State.SUCCEEDED:
        chosen = Instance.get_by_id(_chosen(operation))
        return [chosen] if operation.instance_id == chosen.id else []
    if source is None or source.deleted or not source.compute:
        return []
    succeeded = operation.state == State.SUCCEEDED
    left = not succeeded if operation.kind == CREATES else succeeded and operation.kind in LEAVES
    return [source] if left else []


def _chosen(operation: Operation) -> str:
    return str(operation.leader.result["replication"]["source"])
