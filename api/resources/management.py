"""/mgmt/instances (Trove v1.0): instances of all projects, for administrators."""

from typing import Any

from api.call import Call
from api.endpoint import Started, endpoint
from api.lookup import find_instance
from api.paging import cut, next_links
from api.requests import one_action
from api.schemas import management as wire
from api.services import Services
from api.views import instance_view
from coffer.clock import timestamp, timestamp_or_none
from coffer.errors import NotSupported, Unprocessable
from coffer.models import Datastore, DatastoreVersion, Instance, Operation
from coffer.operations import State
from coffer.status import display_status
from coffer.waiting import wait_for_end

STOP_WAIT = 20.0
"""Seconds: Trove answers when it is done."""
_DIAGNOSTICS = ("threads", "fdSize", "vmSize", "vmPeak", "vmRss", "vmHwm")
QUERY = ("limit", "marker", "deleted", "include_clustered", "project_id")


class _Resource:
    def __init__(self, services: Services) -> None:
        self._services = services

    def _view(self, call: Call, row: Instance, report: dict[str, Any] | None) -> Any:
        region = self._services.settings.region
        shown = instance_view(call, row, region=region, report=report, detail=True)
        known = {key: getattr(shown, key) for key in shown.__struct_fields__}
        return wire.ManagedInstance(
            **known,
            server=_server(row),
            service_status=row.operating_status or "unknown",
            deleted=row.deleted is not None,
            deleted_at=timestamp_or_none(row.deleted),
            task_description=f"{row.task} is under way."
            if row.task
            else "No tasks for the instance.",
        )


class ManagedInstances(_Resource):
    """GET /mgmt/instances."""

    @endpoint(
        "List instances of all projects",
        access="admin",
        returns=wire.ManagedInstanceList,
        query=QUERY,
    )
    def on_get(self, call: Call) -> wire.ManagedInstanceList:
        page = self._services.settings.page_size
        limit = call.number("limit", page, self._services.settings.maximum_page_size) or page
        offset = call.number("marker", 0, 1_000_000_000)
        query = _matching(call).offset(offset).limit(limit + 1)
        rows, more = cut(list(query), limit)
        reports = self._services.reports.last(row.id for row in rows)
        views = [self._view(call, row, reports.get(row.id)) for row in rows]
        links = next_links(call, "instances", str(offset + limit) if more else None)
        return wire.ManagedInstanceList(instances=views, **links)


def _matching(call: Call) -> Any:
    query = Instance.select(Instance, DatastoreVersion, Datastore)
    query = query.join(DatastoreVersion).join(Datastore)
    if call.parameter("deleted") is not None:
        query = query.where(Instance.deleted.is_null(not call.flag("deleted")))
    if project := call.parameter("project_id"):
        query = query.where(Instance.project_id == project)
    return query.order_by(Instance.updated.desc(), Instance.id)


class ManagedInstance(_Resource):
    """GET /mgmt/instances/{id}."""

    @endpoint(
        "Show an instance of any project", access="admin", returns=wire.ManagedInstanceDocument
    )
    def on_get(self, call: Call, instance: str) -> wire.ManagedInstanceDocument:
        row = find_instance(call, instance)
        view = self._view(call, row, self._services.reports.last([row.id]).get(row.id))
        last = _last_root(row)
        view.guest_status = wire.GuestStatus(state_description=row.operating_status)
        view.root_enabled = timestamp_or_none(last.ended) if last else None
        view.root_enabled_by = last.user if last else None
        return wire.ManagedInstanceDocument(instance=view)


class ManagedRoot:
    """GET /mgmt/instances/{id}/root."""

    @endpoint("Who enabled root", access="admin", returns=wire.RootHistoryDocument)
    def on_get(self, call: Call, instance: str) -> wire.RootHistoryDocument:
        row = find_instance(call, instance)
        last = _last_root(row)
        history = wire.RootHistory(
            id=row.id,
            enabled=timestamp(last.ended) if last and last.ended else "Never",
            user=last.user if last else "Nobody",
        )
        return wire.RootHistoryDocument(root_history=history)


class ManagedHardware:
    """GET /mgmt/instances/{id}/hwinfo."""

    def __init__(self, services: Services) -> None:
        self._catalogue = services.catalogue

    @endpoint("Memory and processors", access="admin", returns=wire.HardwareDocument)
    def on_get(self, call: Call, instance: str) -> wire.HardwareDocument:
        flavor = self._catalogue.flavor(find_instance(call, instance).flavor_id)
        hardware = wire.Hardware(mem_total=flavor.ram, num_cpus=flavor.vcpus)
        return wire.HardwareDocument(hwinfo=hardware)


class ManagedDiagnostics(_Resource):
    """GET /mgmt/instances/{id}/diagnostics."""

    @endpoint("What the agent takes", access="admin", returns=wire.DiagnosticsDocument)
    def on_get(self, call: Call, instance: str) -> wire.DiagnosticsDocument:
        row = find_instance(call, instance)
        report = self._services.reports.last([row.id]).get(row.id)
        if not report:
            raise Unprocessable(f"instance {row.id}: the guest has not reported lately")
        told = report.get("diagnostics") or {}
        numbers = {name: told.get(name, 0) for name in _DIAGNOSTICS}
        version = report.get("agent_version") or "unknown"
        return wire.DiagnosticsDocument(diagnostics=wire.Diagnostics(version=version, **numbers))


class ManagedPing(_Resource):
    """GET /mgmt/instances/{id}/rpc_ping."""

    @endpoint("Whether the guest speaks", access="admin", status=204)
    def on_get(self, call: Call, instance: str) -> None:
        row = find_instance(call, instance)
        age = self._services.reports.age(row)
        if age is None or age > self._services.settings.silent_after:
            raise Unprocessable(f"instance {row.id}: the guest has not reported lately")


class ManagedActions(_Resource):
    """POST /mgmt/instances/{id}/action."""

    @endpoint(
        "Act on an instance of any project",
        access="admin",
        body=wire.ManagementAction,
        status=202,
    )
    def on_post(self, call: Call, body: wire.ManagementAction, instance: str) -> Started | None:
        row = find_instance(call, instance)
        action = one_action(body)
        if action == "reboot":
            return Started(self._services.instances.reboot(row, call.caller).id)
        if action == "stop":
            operation = self._services.instances.stop(row, call.caller)
            return Started(wait_for_end(operation, STOP_WAIT).id)
        if isinstance(body.rebuild, wire.RebuildIn):
            return self._rebuild(row, body.rebuild, call)
        if action != "reset_task_status":
            raise NotSupported(f"{action}: provider '{row.provider}' cannot do that")
        self._services.instances.abort_all(row)
        return None

    def _rebuild(self, row: Instance, wanted: wire.RebuildIn, call: Call) -> Started:
        rebuild = self._services.patches.rebuild
        return Started(rebuild(row, wanted.image_id, call.caller, backup=wanted.backup).id)


def _server(row: Instance) -> wire.Server | None:
    server_id = row.compute.get("server_id")
    if server_id is None:
        return None
    return wire.Server(
        id=str(server_id),
        name=row.name,
        status=display_status(row),
        tenant_id=row.project_id,
        host=row.provider,
    )


def _last_root(row: Instance) -> Operation | None:
    query = Operation.select().where(
        Operation.instance == row,
        Operation.kind == "root_enable",
        Operation.state == State.SUCCEEDED,
    )
    found: Operation | None = query.order_by(Operation.created.desc()).first()
    return found
