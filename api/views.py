"""Records as they are shown."""

from datetime import datetime
from typing import Any

from msgspec import UNSET, UnsetType

from api.call import Call
from api.replicas import replica_references, replication_view, source_reference
from api.schemas import instance as wire
from api.schemas.common import Reference
from api.schemas.operation import Event as WireEvent
from api.schemas.operation import Operation as WireOperation
from coffer.clock import precise_timestamp, timestamp, timestamp_or_none, utcnow
from coffer.configurations import hidden
from coffer.models import Event, Instance, Operation
from coffer.operations import ACTIVE_STATES, KINDS, RETRYABLE_STATES, State
from coffer.points import reach
from coffer.status import display_operating_status, display_status
from coffer.turns import PROTECTED_BY, awaited

GIB = 1024**3


def instance_view(
    call: Call,
    instance: Instance,
    *,
    region: str,
    report: dict[str, Any] | None = None,
    detail: bool = False,
    proven: dict[str, datetime] | None = None,
    followed: dict[str, list[str]] | None = None,
) -> wire.Instance:
    """An instance; `report` is the guest's last one, `detail` adds what lists leave out,
    `proven` tells when the newest backups were made that are proven, `followed` who has replicas.
    """
    version = instance.version
    view = wire.Instance(
        id=instance.id,
        name=instance.name,
        status=display_status(instance),
        operating_status=display_operating_status(instance),
        links=call.links("instances", instance.id),
        flavor=Reference(id=instance.flavor_id, links=call.links("flavors", instance.flavor_id)),
        datastore=wire.DatastoreOfInstance(
            type=version.datastore.name,
            version=version.name,
            version_number=version.version if detail else UNSET,
        ),
        region=region,
        access=instance.access,
        volume=_volume(instance, report if detail else None),
        replica_of=source_reference(call, instance),
        replicas=replica_references(call, (followed or {}).get(instance.id, [])),
        locality=instance.locality or UNSET,
    )
    _add_addresses(view, instance)
    if instance.pending_packages is not None:
        view.pending_packages = instance.pending_packages
    if proven and instance.id in proven:
        view.last_proven_restorable = timestamp(proven[instance.id])
    if detail:
        _add_details(view, instance)
        view.replication = replication_view(instance, report)
        _add_configuration(call, view, instance)
    if call.identity.is_admin:
        view.tenant_id = instance.project_id
        if detail:
            view.server_id = instance.compute.get("server_id")
            view.volume_id = instance.compute.get("volume_id")
    return view


def _volume(instance: Instance, report: dict[str, Any] | None) -> wire.Volume:
    volume = wire.Volume(size=instance.volume_size)
    measured = (report or {}).get("volume") or {}
    if display_operating_status(instance) and measured.get("size"):
        volume.used = round(measured["used"] / GIB, 2)
        volume.used_percent = round(100 * measured["used"] / measured["size"], 1)
    return volume


def _add_addresses(view: wire.Instance, instance: Instance) -> None:
    address = instance.compute.get("address")
    if address:
        view.addresses = [wire.Address(address=address, type="private")]
        view.ip = [address]


def _add_details(view: wire.Instance, instance: Instance) -> None:
    view.created, view.updated = timestamp(instance.created), timestamp(instance.updated)
    view.service_status_updated = timestamp(instance.reported or instance.updated)
    if instance.fault_message and instance.fault_created:
        view.fault = wire.InstanceFault(
            message=instance.fault_message,
            created=timestamp(instance.fault_created),
            details=None,
        )


def _add_configuration(call: Call, view: wire.Instance, instance: Instance) -> None:
    group = instance.configuration
    if group is not None:
        view.configuration = wire.AttachedConfiguration(
            id=group.id, name=group.name, links=call.links("configurations", group.id)
        )


def add_reach(view: wire.Instance, instance: Instance) -> None:
    """The times that the instance can be brought back to, of one instance alone."""
    found = reach(instance.id)
    earliest, latest = found or (None, None)
    view.earliest_restorable_time = f"{timestamp(earliest)}Z" if earliest else None
    view.latest_restorable_time = f"{timestamp(latest)}Z" if latest else None


def operation_view(operation: Operation) -> WireOperation:
    """An operation with what may be done about it."""
    return WireOperation(
        id=operation.id,
        kind=operation.kind,
        instance_id=operation.instance_id,
        instance_name=operation.instance.name if operation.instance else None,
        project_id=operation.project_id,
        state=operation.state,
        attempt=operation.attempt,
        attempts=operation.attempts,
        created=timestamp(operation.created),
        started=timestamp_or_none(operation.started),
        ended=timestamp_or_none(operation.ended),
        deadline=timestamp(operation.deadline),
        seconds=round(((operation.ended or utcnow()) - operation.created).total_seconds(), 2),
        queued_seconds=_queued_seconds(operation),
        reason=operation.reason,
        failing_task=operation.failing_task,
        actions=_actions(operation),
        user=operation.user,
        request_id=operation.request_id,
        part_of=operation.leader_id or UNSET,
        protected_by=operation.parameters.get(PROTECTED_BY, UNSET),
        waits_for=_waits_for(operation),
        result=_result(operation),
    )


def _result(operation: Operation) -> dict[str, Any] | UnsetType:
    """What an operation found or did that is worth telling; password-like values are hidden."""
    told = {"patch": operation.result["patch"]} if "patch" in operation.result else {}
    if KINDS[operation.kind].looks and "settings" in operation.result:
        found = operation.result["settings"]
        rows = [{**row, **hidden(row)} for row in found["differences"]]
        told["settings"] = {**found, "differences": rows}
    return told or UNSET


def _waits_for(operation: Operation) -> str | UnsetType:
    making = awaited(operation) if operation.state == State.QUEUED else None
    return making.id if making is not None else UNSET


def _queued_seconds(operation: Operation) -> float | None:
    if operation.started is None:
        return None
    return round((operation.started - operation.created).total_seconds(), 3)


def _actions(operation: Operation) -> list[str]:
    if operation.leader_id:
        return []
    if operation.state in ACTIVE_STATES:
        return ["abort"]
    return ["retry"] if operation.state in RETRYABLE_STATES and not awaited(operation) else []


def event_view(event: Event) -> WireEvent:
    """A step of an operation."""
    return WireEvent(
        id=event.id,
        attempt=event.attempt,
        at=precise_timestamp(event.at),
        play=event.play,
        task=event.task,
        role=event.role,
        host=event.host,
        state=event.state,
        seconds=event.seconds,
        message=event.message,
    )
