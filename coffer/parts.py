"""Parts: an operation that needs more than its own instance holds each other one by a part.

A part is an operation of that instance: it has the instance's lock, shows in its history and its
status, and carries what becomes true of it. It has no run of its own: it is leased, ends and is
tried again together with its leader.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import peewee

from coffer.errors import Unprocessable
from coffer.models import Instance, Operation
from coffer.operations import ACTIVE_STATES, KINDS, State
from coffer.order import task_of
from coffer.replica_sets import others


@dataclass(frozen=True)
class Part:
    """A further instance that an operation needs, and the columns that become true of it."""

    instance: Instance
    changes: dict[str, Any] = field(default_factory=dict)


def parts_of(operation: Operation) -> list[Operation]:
    """Its parts, ended or not, in the order in which they were begun."""
    query = Operation.select().where(Operation.leader == operation.id)
    return list(query.order_by(Operation.created, Operation.id))


def active_parts(operation: Operation) -> list[Operation]:
    """Parts that have not ended."""
    return [part for part in parts_of(operation) if part.state in ACTIVE_STATES]


def take_parts(operation_id: str, now: datetime) -> None:
    """Take the locks of a leased operation's parts; runs inside the caller's transaction.

    Raises:
        peewee.IntegrityError: another operation has one of the instances.
    """
    Operation.update(
        state=State.RUNNING,
        lock=Operation.instance,
        started=peewee.fn.COALESCE(Operation.started, now),
    ).where(Operation.leader == operation_id, Operation.state.in_(ACTIVE_STATES)).execute()


def queue_parts_again(operation: Operation, now: datetime) -> None:
    """Parts of an operation that is retried; runs inside the caller's transaction."""
    for part in parts_of(operation):
        part.state, part.deadline = State.QUEUED, operation.deadline
        part.reason = part.ended = None
        part.save()
        Instance.update(task=task_of(part.instance_id), updated=now).where(
            Instance.id == part.instance_id
        ).execute()


def require_same_set(operation: Operation) -> None:
    """Let only an operation be tried again whose parts are what it would need now.

    Raises:
        Unprocessable: its replica set has changed.
    """
    then = {part.instance_id for part in parts_of(operation)}
    if not then:
        return
    now = {row.id for row in others(Instance.get_by_id(operation.instance_id))}
    if not then <= now or (KINDS[operation.kind].part is None and then != now):
        raise Unprocessable(
            f"operation {operation.id}: its replica set has changed, ask for a new one instead"
        )


def leaders(operations: Iterable[Operation]) -> list[Operation]:
    """The operations, each part's leader in its place, each once."""
    found = {row.id: row for row in (each.leader or each for each in operations)}
    return list(found.values())
