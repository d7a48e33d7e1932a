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
    queue: Queue
    deadline: int
    """Seconds from the request (or the retry) to `expired`."""
    status: str | None = None
    """The instance's status while the operation is under way; None leaves it as it is."""
    play: str | None = None
    """Name of the playbook where it is not the operation's own."""
    attempts: int = 3
    """Runs that may die with their worker before the operation fails."""
    undo: str | None = None
    """Playbook that runs when the operation ends in any way but success."""
    waits: bool = False
    """May be asked for while another operation has the instance: it then runs next."""
    end_state: str | None = "ACTIVE"
    """The instance's state after success; `DELETED` closes its record, None leaves it."""
    failed_state: str | None = None
    """The instance's state after a failure; None leaves it."""
    restarts: bool = False
    """Success means that the engine has started anew."""
    secrets: tuple[str, ...] = ()
    """Secrets of the instance that the playbook is given, beside the operation's own."""
    repository: bool = False
    """The playbook is given the keys of the repository that its parameters name."""
    looks: bool = False
    """The playbook changes nothing: it only finds out, and its result is shown."""
    issues_token: bool = False
    """The playbook is given a fresh token for the guest; the one before stops working."""
    part: str | None = None
    """The kind of the parts that hold further instances (see parts.py), where it is another one."""

    renews_token: bool = False
    """The same, but the one before stops working only when the operation has succeeded."""

    @property
    def playbook(self) -> str:
        """The playbook, without its ending."""
        return self.play or self.name

    @property
    def makes(self) -> bool:
        """It makes the instance: what is left of a failure is deleted, and only that."""
        return self.undo == "instance_delete"


def secret_of(operation_id: str) -> str:
    """The name under which an operation's own secrets are stored until it succeeds."""
    return f"operation:{operation_id}"


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
            secrets=("host_key",),
            issues_token=True,
        ),
        Kind(
            name="instance_restore",
            queue=Queue.WORK,
            status="BUILD",
            deadline=14400,
            undo="instance_delete",
            failed_state="ERROR",
            secrets=("host_key",),
            issues_token=True,
            repository=True,
        ),
        Kind(
            name="replica_create",
            queue=Queue.WORK,
            status="BUILD",
            deadline=14400,
            undo="instance_delete",
            failed_state="ERROR",
            secrets=("host_key", "replication_password"),
            issues_token=True,
            part="replica_source",
        ),
        Kind(
            name="replica_source",
            queue=Queue.WORK,
            status="BACKUP",
            deadline=14400,
            waits=True,
            end_state=None,
        ),
        Kind(
            name="replica_promote",
            queue=Queue.WORK,
            status="PROMOTE",
            deadline=1800,
            undo="replica_promote",
            secrets=("replication_password",),
        ),
        Kind(
            name="replica_eject",
            queue=Queue.WORK,
            status="EJECT",
            deadline=1800,
            undo="replica_eject_undo",
            secrets=("replication_password",),
            end_state=None,
        ),
        Kind(
            name="replica_detach",
            queue=Queue.WORK,
            status="DETACH",
            deadline=900,
            undo="replica_detach",
            secrets=("replication_password",),
        ),
        Kind(
            name="backup_create",
            queue=Queue.WORK,
            status="BACKUP",
            deadline=14400,
            undo="backup_stop",
            end_state=None,
            repository=True,
        ),
        Kind(
            name="backup_verify",
            queue=Queue.BULK,
            deadline=14400,
            undo="instance_delete",
            end_state="DELETED",
            failed_state="ERROR",
            secrets=("host_key",),
            repository=True,
        ),
        Kind(
            name="backup_delete",
            queue=Queue.WORK,
            deadline=3600,
            attempts=10,
            waits=True,
            end_state=None,
            repository=True,
        ),
        Kind(
            name="instance_rewind",
            queue=Queue.WORK,
            status="RESTORE",
            deadline=14400,
            undo="instance_rewind_undo",
            restarts=True,
            repository=True,
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
        Kind(
            name="instance_restart",
            queue=Queue.FAST,
            status="REBOOT",
            deadline=900,
            waits=True,
            restarts=True,
        ),
        Kind(
            name="instance_reboot",
            queue=Queue.WORK,
            status="REBOOT",
            deadline=900,
            waits=True,
            restarts=True,
        ),
        Kind(name="instance_stop", queue=Queue.FAST, deadline=900, waits=True),
        Kind(name="access_update", play="access", queue=Queue.FAST, deadline=300, waits=True),
        Kind(
            name="instance_resize",
            queue=Queue.WORK,
            status="RESIZE",
            deadline=1800,
            waits=True,
            undo="instance_resize",
        ),
        Kind(
            name="instance_patch",
            queue=Queue.BULK,
            status="UPGRADE",
            deadline=3600,
            undo="instance_patch_undo",
        ),
        Kind(
            name="instance_upgrade",
            play="instance_patch",
            queue=Queue.WORK,
            status="UPGRADE",
            deadline=3600,
            undo="instance_patch_undo",
        ),
        Kind(
            name="instance_rebuild",
            queue=Queue.WORK,
            status="BUILD",
            deadline=3600,
            undo="instance_patch_undo",
            restarts=True,
            secrets=("host_key",),
            renews_token=True,
        ),
        Kind(
            name="patch_rehearse",
            queue=Queue.BULK,
            deadline=14400,
            undo="instance_delete",
            end_state="DELETED",
            failed_state="ERROR",
            secrets=("host_key",),
            repository=True,
        ),
        Kind(name="instance_patch_plan", queue=Queue.WORK, deadline=600, waits=True, looks=True),
        *(
            Kind(name=name, play="accounts", queue=Queue.FAST, deadline=300, waits=True)
            for name in (
                "database_create",
                "database_delete",
                "user_create",
                "user_update",
                "user_delete",
                "user_grant",
                "user_revoke",
            )
        ),
        *(
            Kind(name=name, play="root", queue=Queue.FAST, deadline=300, waits=True)
            for name in ("root_enable", "root_disable")
        ),
        *(
            Kind(name=name, play="configuration", queue=Queue.FAST, deadline=600, waits=True)
            for name in ("configuration_attach", "configuration_detach", "configuration_update")
        ),
        Kind(name="log_switch", play="configuration", queue=Queue.FAST, deadline=600, waits=True),
        Kind(name="log_read", queue=Queue.FAST, deadline=300, waits=True, looks=True),
        Kind(name="configuration_diff", queue=Queue.FAST, deadline=300, waits=True, looks=True),
    )
}
