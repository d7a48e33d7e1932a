"""/mgmt/datastore-versions and what else administrators do with datastores (Trove v1.0)."""

from typing import Any

import msgspec
from msgspec import UNSET

from api.call import Call
from api.endpoint import endpoint
from api.schemas import management as wire
from api.services import Services
from coffer.catalogue import Parameter
from coffer.configurations import find_rule
from coffer.datastores import find_any_version
from coffer.models import Datastore, DatastoreVersion


class _Resource:
    def __init__(self, services: Services) -> None:
        self._versions = services.versions
        self._catalogue = services.catalogue


class ManagedVersions(_Resource):
    """GET and POST /mgmt/datastore-versions."""

    @endpoint("List all versions", access="admin", returns=wire.ManagedVersionList)
    def on_get(self, _call: Call) -> wire.ManagedVersionList:
        query = DatastoreVersion.select(DatastoreVersion, Datastore).join(Datastore)
        rows = query.order_by(Datastore.name, DatastoreVersion.name, DatastoreVersion.version)
        return wire.ManagedVersionList(versions=[_view(row) for row in rows])

    @endpoint("Put a version on offer", access="admin", body=wire.CreateVersion, status=202)
    def on_post(self, _call: Call, body: wire.CreateVersion) -> None:
        wanted = msgspec.to_builtins(body.version)
        self._versions.create({key: value for key, value in wanted.items() if value is not None})


class ManagedVersion(_Resource):
    """GET, PATCH and DELETE /mgmt/datastore-versions/{id}."""

    @endpoint("Show any version", access="admin", returns=wire.ManagedVersionDocument)
    def on_get(self, _call: Call, version: str) -> wire.ManagedVersionDocument:
        return wire.ManagedVersionDocument(version=_view(find_any_version(version)))

    @endpoint("Change a version", access="admin", body=wire.VersionChanges, status=202)
    def on_patch(self, _call: Call, body: wire.VersionChanges, version: str) -> None:
        self._versions.change(find_any_version(version), msgspec.to_builtins(body))

    @endpoint("Delete a version", access="admin", status=202)
    def on_delete(self, _call: Call, version: str) -> None:
        self._versions.delete(find_any_version(version))


class _Parameters(_Resource):
    def _rules(self, version: DatastoreVersion) -> dict[str, Parameter]:
        return self._catalogue.parameters(version.manager, version.name)


class ManagedParameters(_Parameters):
    """GET /mgmt/datastores/versions/{v}/parameters."""

    @endpoint("Rules of any version", access="admin", returns=wire.ManagedParameterList)
    def on_get(self, _call: Call, version: str) -> wire.ManagedParameterList:
        row = find_any_version(version)
        rules = [_parameter(rule, row) for rule in self._rules(row).values()]
        return wire.ManagedParameterList(parameters=rules)


class ManagedParameter(_Parameters):
    """GET /mgmt/datastores/versions/{v}/parameters/{p}."""

    @endpoint("A rule of any version", access="admin", returns=wire.ManagedParameter)
    def on_get(self, _call: Call, version: str, parameter: str) -> wire.ManagedParameter:
        row = find_any_version(version)
        return _parameter(find_rule(self._rules(row), parameter), row)


def _parameter(rule: Parameter, version: DatastoreVersion) -> wire.ManagedParameter:
    return wire.ManagedParameter(
        name=rule.name,
        type=rule.type,
        restart_required=rule.restart_required,
        datastore_version_id=version.id,
        min_size=UNSET if rule.min is None else rule.min,
        max_size=UNSET if rule.max is None else rule.max,
    )


def _view(row: DatastoreVersion) -> wire.ManagedVersion:
    known: dict[str, Any] = {
        key: getattr(row, key)
        for key in ("id", "name", "version", "image", "image_tags", "packages", "active")
    }
    return wire.ManagedVersion(
        **known,
        datastore_id=row.datastore_id,
        datastore_name=row.datastore.name,
        datastore_manager=row.manager,
        default=row.datastore.default_version_id == row.id,
        registry_ext=row.registry_ext,
        repl_strategy=row.repl_strategy,
    )
