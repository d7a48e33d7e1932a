"""Playbooks that an operator runs by hand: declared before, ended after, no worker's."""

from typing import Any

from coffer.callers import Caller
from coffer.clock import utcnow
from coffer.database import transaction
from coffer.errors import BadRequest, Unprocessable
from coffer.lifecycle import end, lease
from coffer.models import Instance, Operation
from coffer.operations import State

BY_HAND = (
    "instance_restart",
    "instance_stop",
    "instance_resize",
    "instance_delete",
    "instance_patch",
)


def declare(kind: str, instance: Instance, caller: Caller) -> Operation:
    """Take the instance for a run by hand; it expires at the kind's deadline.

    Raises:
        BadRequest: this kind cannot be run by hand.
        Unprocessable: another operation has the instance.
    """
    if kind not in BY_HAND:
        raise BadRequest(f"operation.kind: '{kind}' is not one of {', '.join(BY_HAND)}")
    with transaction():
        if Operation.get_or_none(Operation.lock == instance.id):
            raise Unprocessable(f"instance {instance.id} is busy with another operation")
        queued = caller.begin(kind, Instance.get_by_id(instance.id), runner="operator")
        operation = lease(queued.id, f"operator:{queued.id}")
        if operation is None:
            raise Unprocessable(f"instance {instance.id} is busy with another operation")
        operation.lease_until = operation.deadline
        operation.save()
    return operation


def finish(
    operation: Operation, succeeded: bool, reason: str | None, facts: dict[str, Any]
) -> list[Operation]:
    """End a run by hand; returns the operations that waited for it.

    Raises:
        Unprocessable: it is no such run, or it has ended already.
    """
    if operation.runner != "operator" or operation.state != State.RUNNING:
        raise Unprocessable(f"operation {operation.id} is not a playbook running by hand")
    state = State.SUCCEEDED if succeeded else State.FAILED
    return end(operation, state, reason=reason, facts=facts, clock=utcnow)
