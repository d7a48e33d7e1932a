"""The table of operations: API actions, command line verbs, jobs and playbooks all read it.

One operation is one playbook (`playbooks/<name>.yml`) and one record with a deadline, a lease,
a reason and an end.
"""

from dataclasses import dataclass
from enum import StrEnum


class Queue(StrEnum):
    """RQ queues by weight, so that a fleet never delays a user's click."""

    FAST = "fast"
    WORK = "work"
    BULK = "bulk"


class State(StrEnum):
    """Where an operation stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABORTED = "aborted"
    EXPIRED = "expired"


ACTIVE_STATES = (State.QUEUED, State.RUNNING)
RETRYABLE_STATES = (State.FAILED, State.ABORTED, State.EXPIRED)
JOB = "worker.job.run"
"""The job function, by name: what enqueues does not import what works."""
SWEEP_QUEUE = "sweep"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What Coffer knows of an operation before anyone asks for it."""

    name: str
    """Also the playbook's name."""
    queue: Queue
    status: str
    """The instance's status while the operation is under way."""
    deadline: int
    """Seconds from the request (or the retry) to `expired`."""
    attempts: int = 3
    """Runs that may die with their worker before the operation fails."""
    undo: str | None = None
    """Playbook that runs when the operation ends in any way but success."""
    waits: bool = False
    """May be asked for while another operation has the instance: it then runs next."""
    end_state: str = "ACTIVE"
    """The instance's state after success; `DELETED` closes its record."""
    failed_state: str | None = None
    """The instance's state after a failure; None leaves it."""
    secrets: tuple[str, ...] = ()
    """Secrets of the instance that the playbook is given."""
    consumes: tuple[str, ...] = ()
    """Secrets that were stored for this operation alone and go when it succeeds."""
    issues_token: bool = False
    """The playbook is given a fresh token for the guest; the one before stops working."""


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            name="instance_create",
            queue=Queue.WORK,
            status="BUILD",
            deadline=3600,
            undo="instance_delete",
            failed_state="ERROR",
            secrets=("host_key", "databases", "users"),
            consumes=("databases", "users"),
            issues_token=True,
        ),
        Kind(
            name="instance_delete",
            queue=Queue.WORK,
            status="SHUTDOWN",
            deadline=3600,
            attempts=10,
            waits=True,
            end_state="DELETED",
            failed_state="ERROR",
        ),
        Kind(name="instance_restart", queue=Queue.FAST, status="REBOOT", deadline=900),
        Kind(
            name="instance_resize",
            queue=Queue.WORK,
            status="RESIZE",
            deadline=1800,
            undo="instance_resize",
        ),
    )
}
