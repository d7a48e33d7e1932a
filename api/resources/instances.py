"""/instances (Trove v1.0) and what Coffer puts beside it."""

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET

from api.backups import find_restore_point
from api.call import Call
from api.changes import change
from api.endpoint import Started, endpoint
from api.lookup import find_configuration, find_instance
from api.paging import page_by_id
from api.replicas import replicas_wanted
from api.requests import one_action, wish_of
from api.schemas import instance as wire
from api.schemas.common import last_segment
from api.services import Services
from api.views import add_reach, instance_view
from coffer.errors import BadRequest, Forbidden, Unprocessable
from coffer.models import Datastore, DatastoreVersion, Instance, Operation
from coffer.proofs import last_proven
from coffer.replica_sets import replicas_of

PAGE_QUERY = ("limit", "marker")


class InstanceCollection:
    """GET and POST /instances."""

    detail = False

    def __init__(self, services: Services) -> None:
        self._services = services

    @endpoint("List instances", access="look", returns=wire.InstanceList, query=PAGE_QUERY)
    def on_get(self, call: Call) -> wire.InstanceList:
        rows, links = page_by_id(
            call, self._services.settings, "instances", _living(call), Instance
        )
        rows.sort(key=lambda row: row.created, reverse=True)
        return wire.InstanceList(instances=self._views(call, rows), **links)

    def _views(self, call: Call, rows: Sequence[Instance]) -> list[wire.Instance]:
        region = self._services.settings.region
        reports = self._services.reports.last(row.id for row in rows) if self.detail else {}
        ids = [row.id for row in rows]
        proven, followed = last_proven(ids), replicas_of(ids)
        return [
            instance_view(
                call,
                row,
                region=region,
                report=reports.get(row.id),
                detail=self.detail,
                proven=proven,
                followed=followed,
            )
            for row in rows
        ]

    @endpoint(
        "Create an instance",
        access="write",
        body=wire.CreateInstance,
        returns=wire.InstanceDocument,
    )
    def on_post(self, call: Call, body: wire.CreateInstance) -> Started:
        instance, operation = self._create(call, body.instance)
        view = instance_view(call, instance, region=self._services.settings.region, detail=True)
        return Started(operation.id, wire.InstanceDocument(instance=view))

    def _create(self, call: Call, wanted: wire.InstanceIn) -> tuple[Instance, Operation]:
        """Of several replicas the last one."""
        services = self._services
        if wanted.replica_of:
            wish_of_replicas = replicas_wanted(call, wanted, services.settings)
            return services.replicas.create(wish_of_replicas, call.caller)[-1]
        backup, point = find_restore_point(call, wanted.restorePoint or None)
        name = wanted.configuration
        group = find_configuration(call, last_segment(name)) if name else None
        wish = wish_of(wanted, services.settings, backup, group, point)
        return services.instances.create(wish, call.caller)


class InstanceDetails(InstanceCollection):
    """GET /instances/detail: the same list with all that GET of one shows."""

    detail = True
    on_post = None  # type: ignore[assignment]


class InstanceItem:
    """GET and DELETE /instances/{id}."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @endpoint("Show an instance", access="look", returns=wire.InstanceDocument)
    def on_get(self, call: Call, instance: str) -> wire.InstanceDocument:
        row = find_instance(call, instance)
        view = instance_view(
            call,
            row,
            region=self._services.settings.region,
            report=self._services.reports.last([row.id]).get(row.id),
            detail=True,
            proven=last_proven([row.id]),
            followed=replicas_of([row.id]),
        )
        add_reach(view, row)
        return wire.InstanceDocument(instance=view)

    @endpoint("Change an instance", access="write", body=wire.UpdateInstance, status=202)
    def on_put(self, call: Call, body: wire.UpdateInstance, instance: str) -> Started | None:
        return change(self._services, call, find_instance(call, instance), body.instance)

    @endpoint("Change an instance", access="write", body=wire.UpdateInstance, status=202)
    def on_patch(self, call: Call, body: wire.UpdateInstance, instance: str) -> Started | None:
        return change(self._services, call, find_instance(call, instance), body.instance)

    @endpoint("Delete an instance", access="write", status=202)
    def on_delete(self, call: Call, instance: str) -> Started:
        row = find_instance(call, instance)
        return Started(self._services.instances.delete(row, call.caller).id)


class InstanceActions:
    """POST /instances/{id}/action."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @endpoint("Act on an instance", access="write", body=wire.InstanceAction, status=202)
    def on_post(self, call: Call, body: wire.InstanceAction, instance: str) -> Started | None:
        row = find_instance(call, instance)
        action = one_action(body)
        started: Started | None = getattr(self, f"_{action}")(call, row, body)
        return started

    def _restart(self, call: Call, row: Instance, _body: wire.InstanceAction) -> Started:
        return Started(self._services.instances.restart(row, call.caller).id)

    def _resize(self, call: Call, row: Instance, body: wire.InstanceAction) -> Started:
        resize: Any = body.resize
        if (resize.volume is UNSET) == (resize.flavorRef is UNSET):
            raise BadRequest("resize: give exactly one of volume and flavorRef")
        if resize.volume is UNSET:
            flavor = last_segment(str(resize.flavorRef))
            operation = self._services.instances.resize_flavor(row, flavor, call.caller)
        else:
            volume = resize.volume
            size = int(volume.size if isinstance(volume, wire.VolumeIn) else volume)
            operation = self._services.instances.resize_volume(row, size, call.caller)
        return Started(operation.id)

    def _promote_to_replica_source(self, call: Call, row: Instance, _body: Any) -> Started:
        return Started(self._services.replicas.promote(row, call.caller).id)

    def _eject_replica_source(self, call: Call, row: Instance, _body: Any) -> Started:
        return Started(self._services.replicas.eject(row, call.caller).id)

    def _restore(self, call: Call, row: Instance, body: Any) -> Started:
        _safety, operation = self._services.rewinds.begin(row, body.restore.to, call.caller)
        return Started(operation.id)

    def _reset_status(self, call: Call, row: Instance, body: wire.InstanceAction) -> None:
        force = isinstance(body.reset_status, dict) and "force_delete" in body.reset_status
        if not call.identity.is_admin and not force:
            raise Forbidden("reset_status: this needs the role 'admin'")
        self._services.instances.reset_status(row)


class InstanceConnection:
    """GET /instances/{id}/connection: how to reach the engine."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @endpoint("How to connect", returns=wire.ConnectionDocument)
    def on_get(self, call: Call, instance: str) -> wire.ConnectionDocument:
        row = find_instance(call, instance)
        address = row.compute.get("address")
        if not address:
            raise Unprocessable(f"instance {row.id} has no address yet")
        engine = self._services.catalogue.engine(row.version.manager)
        known = {"host": address, "port": engine.port}
        return wire.ConnectionDocument(
            connection=wire.Connection(
                engine=engine.name,
                **known,
                uri=_fill(engine.uri, known),
                clients=[
                    wire.ClientProgram(
                        program=client.program,
                        arguments=[_fill(argument, known) for argument in client.arguments],
                    )
                    for client in engine.clients
                ],
            )
        )


def _fill(template: str, known: dict[str, Any]) -> str:
    for key, value in known.items():
        template = template.replace(f"{{{key}}}", str(value))
    return template


_UNLISTED = ("observed", "defaults", "logs", "host_key_public", "guest_token_hash")
"""Columns that no list shows and that take long to read."""
_LISTED = [field for field in Instance._meta.sorted_fields if field.name not in _UNLISTED]


def _living(call: Call) -> Any:
    return (
        Instance.select(*_LISTED, DatastoreVersion.name, DatastoreVersion.version, Datastore.name)
        .join(DatastoreVersion)
        .join(Datastore)
        .where(Instance.project_id == call.project_id, Instance.deleted.is_null())
    )
