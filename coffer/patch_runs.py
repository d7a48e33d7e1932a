"""Patch runs as they are asked for: begun, aborted, resumed. `patch_rounds` goes on with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import peewee

from coffer.callers import Caller
from coffer.database import transaction
from coffer.errors import BadRequest, Unprocessable
from coffer.fleets import ordered
from coffer.models import Instance, PatchMember, PatchRun
from coffer.patches import Packages
from coffer.waves import split


class RunState(StrEnum):
    """Where a run stands; all but the ended ones go on by themselves."""

    RUNNING = "running"
    PAUSED = "paused"
    """Between two waves."""
    WAITING = "waiting"
    """For a maintenance window."""
    ABORTING = "aborting"
    DONE = "done"
    FAILED = "failed"
    """All instances had their turn, and some failed: no more than were allowed."""
    STOPPED = "stopped"
    """More failed than were allowed; the rest had no turn."""
    ABORTED = "aborted"


class MemberState(StrEnum):
    """Where an instance stands in its run."""

    PENDING = "pending"
    BACKUP = "backup"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


UNDER_WAY = (RunState.RUNNING, RunState.PAUSED, RunState.WAITING, RunState.ABORTING)
RESUMABLE = (RunState.FAILED, RunState.STOPPED, RunState.ABORTED)
WORKING = (MemberState.BACKUP, MemberState.RUNNING)
DOES = {
    "patch": "instance_patch",
    "plan": "instance_patch_plan",
    "rehearse": "patch_rehearse",
}
"""What a run does with its instances, and the operation that does it."""


@dataclass(frozen=True, kw_only=True)
class RunWish:
    """A run as it was asked for; `pause` is in seconds, `canary` an instance's id."""

    does: str = "patch"
    packages: Packages = "security"
    waves: str = "1,10%,50%,100%"
    max_failures: int = 0
    pause: float = 0.0
    canary: str | None = None
    backup: bool = True
    force: bool = False
    selector: Mapping[str, str] = field(default_factory=dict)


def start(instances: list[Instance], wish: RunWish, caller: Caller) -> PatchRun:
    """Record a run of these instances; nothing of it has begun yet.

    Raises:
        BadRequest: there is no instance, or the waves or the canary cannot be.
        Unprocessable: an instance is in another run.
    """
    waves = split(ordered(instances, wish.canary), wish.waves)
    if not waves:
        raise BadRequest("instances: there is none")
    run = PatchRun(
        project_id=caller.project_id,
        does=wish.does,
        selector=dict(wish.selector),
        packages=wish.packages,
        waves=wish.waves,
        max_failures=wish.max_failures,
        pause=wish.pause,
        backup=wish.backup,
        force=wish.force,
        state=RunState.RUNNING,
        user=caller.user,
        request_id=caller.request_id,
    )
    with transaction():
        if _is_exclusive(run):
            _require_free([row.id for wave in waves for row in wave])
        run.save(force_insert=True)
        for number, wave in enumerate(waves, 1):
            for row in wave:
                _add(run, row, number)
    return run


def _is_exclusive(run: PatchRun) -> bool:
    """An instance is in one run at a time that changes it."""
    return run.does == "patch"


def _require_free(instance_ids: list[str]) -> None:
    taken = PatchMember.select(PatchMember, Instance).join(Instance)
    for row in taken.where(PatchMember.lock.in_(instance_ids)).limit(1):
        raise _taken(row.instance.name, row.run_id)


def _taken(name: str, run_id: str) -> Unprocessable:
    return Unprocessable(
        f"instance '{name}' is in the patch run {run_id}, which is under way: wait, or abort it"
    )


def _add(run: PatchRun, instance: Instance, wave: int) -> None:
    try:
        lock = instance.id if _is_exclusive(run) else None
        PatchMember.create(
            run=run, instance=instance, lock=lock, wave=wave, state=MemberState.PENDING
        )
    except peewee.IntegrityError as error:  # another request won it a moment ago
        raise _taken(instance.name, "that has just begun") from error


def abort(run: PatchRun) -> None:
    """Begin nothing more, and take back what is under way.

    Raises:
        Unprocessable: it is over.
    """
    with transaction():
        row = locked(run.id)
        if row.state not in UNDER_WAY:
            raise Unprocessable(f"patch run {row.id} is {row.state}: nothing to abort")
        row.state, row.reason, row.waits_until = RunState.ABORTING, "aborted by the user", None
        row.save()


def resume(run: PatchRun, force: bool) -> None:
    """Go on where it stopped: what failed or had no turn is tried again.

    `force` overrides maintenance windows from now on, also of a run that waits for one.

    Raises:
        Unprocessable: it is under way or done, or an instance is in another run.
    """
    with transaction():
        row = locked(run.id)
        row.force = row.force or force
        if row.state in RESUMABLE:
            _try_again(row)
        elif not (force and row.state in UNDER_WAY):
            raise Unprocessable(f"patch run {row.id} is {row.state}: nothing to resume")
        row.save()


def _try_again(row: PatchRun) -> None:
    again = [each for each in row.members if each.state != MemberState.DONE]
    if _is_exclusive(row):
        _require_free([each.instance_id for each in again])
    for each in again:
        each.state = MemberState.PENDING
        each.lock = each.instance_id if _is_exclusive(row) else None
        each.operation_id, each.problem = None, ""
        each.save()
    row.state, row.reason, row.ended, row.waits_until = RunState.RUNNING, None, None, None
    row.wave = min(each.wave for each in again)


def locked(run_id: str) -> PatchRun:
    """The run; nobody else has it this way until the transaction ends."""
    PatchRun.update(state=PatchRun.state).where(PatchRun.id == run_id).execute()
    row: PatchRun = PatchRun.get_by_id(run_id)
    return row
