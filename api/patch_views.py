"""Patch runs as they are shown."""

from collections import Counter
from datetime import datetime
from typing import Any

from msgspec import UNSET

from api.call import Call
from api.schemas import patch as wire
from coffer.clock import timestamp, timestamp_or_none, utcnow
from coffer.errors import NotFound
from coffer.models import Instance, Operation, PatchMember, PatchRun
from coffer.operations import State
from coffer.patch_runs import RESUMABLE, UNDER_WAY, RunState

ENGINE = "(engine)"
"""How the engine itself is called among packages."""


def find_run(call: Call, run_id: str) -> PatchRun:
    """A run that the caller may see.

    Raises:
        NotFound: there is none of that id in the project (in any project, for admins).
    """
    row = PatchRun.get_or_none(PatchRun.id == run_id)
    if row is None or not (call.identity.is_admin or row.project_id == call.project_id):
        raise NotFound(f"patch run '{run_id}' does not exist")
    found: PatchRun = row
    return found


def run_view(run: PatchRun, *, detail: bool = False) -> wire.Run:
    """A run; `detail` adds its instances."""
    members = PatchMember.select(PatchMember, Instance).join(Instance)
    rows = list(members.where(PatchMember.run == run).order_by(PatchMember.wave, PatchMember.id))
    return wire.Run(
        id=run.id,
        project_id=run.project_id,
        does=run.does,
        selector=run.selector,
        packages=run.packages,
        waves=run.waves,
        wave=run.wave,
        max_failures=run.max_failures,
        pause=run.pause,
        backup=run.backup,
        force=run.force,
        state=run.state,
        reason=run.reason,
        waits_until=timestamp_or_none(run.waits_until),
        counts=dict(Counter(row.state for row in rows)),
        actions=_actions(run),
        user=run.user,
        request_id=run.request_id,
        created=timestamp(run.created),
        ended=timestamp_or_none(run.ended),
        seconds=_seconds(run.created, run.ended),
        instances=_members(rows) if detail else UNSET,
    )


def _actions(run: PatchRun) -> list[str]:
    if run.state in RESUMABLE:
        return ["resume"]
    return ["abort"] if run.state in UNDER_WAY and run.state != RunState.ABORTING else []


def _members(rows: list[PatchMember]) -> list[wire.RunMember]:
    ids = [row.operation_id for row in rows if row.operation_id]
    operations = {row.id: row for row in Operation.select().where(Operation.id.in_(ids))}
    return [_member(row, operations.get(row.operation_id)) for row in rows]


def _member(row: PatchMember, operation: Operation | None) -> wire.RunMember:
    done = _done(operation)
    instance: Any = row.instance
    return wire.RunMember(
        instance_id=row.instance_id,
        instance=instance.name,
        wave=row.wave,
        state=row.state,
        operation=row.operation_id,
        problem=row.problem,
        changes=_changes(done),
        restart=bool(done.get("restart")),
        reboot=bool(done.get("reboot")),
        services=done.get("services", []),
        seconds=_seconds(operation.created, operation.ended) if operation else 0.0,
        seconds_without_writes=done.get("seconds_without_writes", 0.0),
    )


def _done(operation: Operation | None) -> dict[str, Any]:
    if operation is None or operation.state != State.SUCCEEDED:
        return {}
    found: dict[str, Any] = operation.result.get("patch", {})
    return found


def _changes(done: dict[str, Any]) -> list[dict[str, Any]]:
    versions = done.get("engine")
    engine = [{"name": ENGINE, "origin": "", "cves": [], **versions}] if versions else []
    named = done.get("cves", {})
    rows = [row | {"cves": named.get(row["name"], [])} for row in done.get("packages", [])]
    return [*engine, *rows]


def _seconds(begun: datetime, ended: datetime | None) -> float:
    return round(((ended or utcnow()) - begun).total_seconds(), 2)
