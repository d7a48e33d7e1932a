"""Playbooks that an operator runs by hand: declared before, ended after, no worker's."""

from typing import Any

from coffer.callers import Caller
from coffer.clock import utcnow
from coffer.database import transaction
from coffer.dispatch import Dispatcher, Outbox
from coffer.errors import BadRequest, Unprocessable
from coffer.lifecycle import end, lease
from coffer.models import Instance, Operation
from coffer.operations import State
from coffer.order import under_way
from coffer.protection import Protector

BY_HAND = (
    "instance_restart",
    "instance_stop",
    "instance_resize",
    "instance_delete",
    "instance_patch",
    "instance_patch_plan",
)
PROTECTED = ("instance_patch",)
"""Those that begin with a backup where none is fresh."""


class OperatorRuns:
    """Gives instances to playbooks that are run by hand."""

    def __init__(self, protector: Protector, dispatcher: Dispatcher) -> None:
        self._protector = protector
        self._dispatcher = dispatcher

    def declare(
        self, kind: str, instance: Instance, caller: Caller, *, backup: bool = True
    ) -> Operation:
        """Take the instance for a run by hand; it expires at the kind's deadline.

        Where a backup has to come first that is begun instead, and its operation returned: the
        run asks again when that has ended. Until then it holds nothing, and may die.

        Raises:
            BadRequest: this kind cannot be run by hand.
            Unprocessable: another operation has the instance, or its state allows no backup.
            OverLimit: the project has as many backups as it may.
        """
        if kind not in BY_HAND:
            raise BadRequest(f"operation.kind: '{kind}' is not one of {', '.join(BY_HAND)}")
        outbox = Outbox()
        with transaction():
            fresh = Instance.get_by_id(instance.id)
            _require_free(fresh)
            if kind in PROTECTED and backup and self._protector.is_due(fresh):
                operation = self._protector.back_up(fresh, caller, outbox, "patch")[1]
            else:
                named = self._protector.named(fresh) if kind in PROTECTED else {}
                operation = _take(kind, fresh, caller, named)
        for each in outbox.operations:
            self._dispatcher.send(each)
        return operation


def _require_free(instance: Instance) -> None:
    for row in under_way(instance.id)[:1]:
        raise _busy(instance, f": {row.kind} (operation {row.id}) is {row.state}; wait for it")


def _take(kind: str, instance: Instance, caller: Caller, parameters: dict[str, Any]) -> Operation:
    queued = caller.begin(kind, instance, parameters=parameters, runner="operator")
    operation = lease(queued.id, f"operator:{queued.id}")
    if operation is None:
        raise _busy(instance, " with another operation")
    operation.lease_until = operation.deadline
    operation.save()
    return operation


def _busy(instance: Instance, why: str) -> Unprocessable:
    return Unprocessable(f"instance {instance.id} is busy{why}")


def finish(
    operation: Operation, succeeded: bool, reason: str | None, facts: dict[str, Any]
) -> list[Operation]:
    """End a run by hand; returns the operations that waited for it.

    Raises:
        Unprocessable: it is no such run, or it has ended already.
    """
    if not operation.is_by_hand or operation.state != State.RUNNING:
        raise Unprocessable(f"operation {operation.id} is not a playbook running by hand")
    state = State.SUCCEEDED if succeeded else State.FAILED
    return end(operation, state, reason=reason, facts=facts, clock=utcnow)
