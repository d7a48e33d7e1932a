"""Operations and their events on the wire (Coffer's own, beside Trove's)."""

from typing import Any

from msgspec import UNSET, UnsetType

from api.schemas.common import Closed, Link, Text, Wire


class Operation(Wire):
    """One change to the world: where it stands and what may be done about it."""

    id: str
    kind: str
    instance_id: str | None
    instance_name: str | None
    project_id: str
    state: str
    attempt: int
    attempts: int
    created: str
    started: str | None
    ended: str | None
    deadline: str
    seconds: float
    queued_seconds: float | None
    reason: str | None
    failing_task: str | None
    actions: list[str]
    user: str
    request_id: str
    part_of: str | UnsetType = UNSET
    """The operation that this one holds its instance for; it ends with that one."""
    protected_by: str | UnsetType = UNSET
    """The backup from before it, to which the instance could be brought back."""
    waits_for: str | UnsetType = UNSET
    """The operation that makes that backup: this one has its turn after it."""
    result: dict[str, Any] | UnsetType = UNSET
    """What the operation found, or did that its kind does not say already."""


class OperationDocument(Wire):
    """One operation."""

    operation: Operation


class OperationList(Wire):
    """A page of operations, newest first."""

    operations: list[Operation]
    links: list[Link] | UnsetType = UNSET
    operations_links: list[Link] | UnsetType = UNSET


class Event(Wire):
    """A step as Ansible told it; `seconds` once it is over."""

    id: int
    attempt: int
    at: str
    play: str
    task: str
    role: str | None
    host: str | None
    state: str
    seconds: float | None
    message: str | None


class EventList(Wire):
    """Events after the one asked for, with the operation as it stands."""

    events: list[Event]
    operation: Operation


class OperationAction(Closed):
    """POST /operations/{id}/action: exactly one key."""

    retry: dict[str, Any] | UnsetType | None = UNSET
    abort: dict[str, Any] | UnsetType | None = UNSET
    finish: "Finish | UnsetType" = UNSET


class Finish(Closed):
    """The end of a playbook that an operator ran by hand."""

    succeeded: bool
    reason: str | None = None
    facts: dict[str, Any] = {}


class OperationIn(Closed):
    """A playbook that an operator runs by hand, declared before it changes anything.

    Where a backup has to come first the answer is the operation that makes it: ask again after it.
    """

    kind: Text
    instance_id: Text
    backup: bool = True
    """Whether an instance without a fresh backup is backed up before its patch."""


class DeclareOperation(Closed):
    """POST /operations."""

    operation: OperationIn
