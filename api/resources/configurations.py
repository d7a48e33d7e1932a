"""/configurations and the parameters of datastore versions (Trove v1.0)."""

from typing import Any

import msgspec
from msgspec import UNSET

from api.call import Call
from api.endpoint import Started, endpoint
from api.lookup import find_configuration, find_instance
from api.paging import page_by_id
from api.schemas import configuration as wire
from api.services import Services
from coffer.catalogue import Parameter
from coffer.clock import timestamp
from coffer.configurations import find_rule, masked
from coffer.datastores import find_datastore, find_version, find_version_by_id, find_version_of
from coffer.errors import BadRequest
from coffer.groups import attached
from coffer.models import Configuration, DatastoreVersion, Instance

PAGE = ("limit", "marker")


class _Resource:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._groups = services.configurations


class ConfigurationCollection(_Resource):
    """GET and POST /configurations."""

    @endpoint("List configuration groups", returns=wire.ConfigurationList, query=PAGE)
    def on_get(self, call: Call) -> wire.ConfigurationList:
        query = Configuration.select()
        if not call.identity.is_admin:
            query = query.where(Configuration.project_id == call.project_id)
        rows, links = page_by_id(
            call, self._services.settings, "configurations", query, Configuration
        )
        return wire.ConfigurationList(configurations=[_view(row) for row in rows], **links)

    @endpoint(
        "Create a configuration group",
        access="write",
        body=wire.CreateConfiguration,
        returns=wire.ConfigurationDocument,
    )
    def on_post(self, call: Call, body: wire.CreateConfiguration) -> wire.ConfigurationDocument:
        given = body.configuration
        datastore = find_datastore(
            given.datastore.type or self._services.settings.default_datastore
        )
        version = find_version(
            datastore,
            given.datastore.version,
            given.datastore.version_number,
            only_active=False,
        )
        group = self._groups.create(
            given.name, given.description, version, given.values, call.caller
        )
        return wire.ConfigurationDocument(configuration=_detail(group))


class ConfigurationDefaults(_Resource):
    """GET /instances/{id}/configuration."""

    @endpoint("Settings that an instance's size gives it", returns=wire.DefaultsDocument)
    def on_get(self, call: Call, instance: str) -> wire.DefaultsDocument:
        values = self._groups.defaults(find_instance(call, instance))
        return wire.DefaultsDocument(instance=wire.Defaults(configuration=values))


class ConfigurationDiff(_Resource):
    """POST /instances/{id}/configuration/diff: an operation whose result is what would change."""

    @endpoint(
        "Find out what settings would change or have drifted",
        access="write",
        body=wire.DiffConfiguration,
        status=202,
    )
    def on_post(self, call: Call, body: wire.DiffConfiguration, instance: str) -> Started:
        row, asked = find_instance(call, instance), body.configuration
        group = row.configuration if asked.id is UNSET else None
        if isinstance(asked.id, str):
            group = find_configuration(call, asked.id)
        return Started(self._groups.diff(row, group, asked.values, call.caller).id)


class ConfigurationItem(_Resource):
    """GET, PATCH, PUT and DELETE /configurations/{id}."""

    @endpoint("Show a configuration group", returns=wire.ConfigurationDocument)
    def on_get(self, call: Call, configuration: str) -> wire.ConfigurationDocument:
        group = find_configuration(call, configuration)
        return wire.ConfigurationDocument(configuration=_detail(group))

    @endpoint("Merge values into a group", access="write", body=wire.UpdateConfiguration)
    def on_patch(self, call: Call, body: wire.UpdateConfiguration, configuration: str) -> Any:
        group = find_configuration(call, configuration)
        if body.configuration.values is UNSET:
            raise BadRequest("configuration.values: is required")
        merged = {**group.values, **body.configuration.values}
        return _started(self._groups.update(group, {"values": merged}, call.caller))

    @endpoint("Replace a group", access="write", body=wire.UpdateConfiguration, status=202)
    def on_put(self, call: Call, body: wire.UpdateConfiguration, configuration: str) -> Any:
        group = find_configuration(call, configuration)
        changes: dict[str, Any] = msgspec.to_builtins(body.configuration)
        changes.setdefault("values", {})
        return _started(self._groups.update(group, changes, call.caller))

    @endpoint("Delete a configuration group", access="write", status=202)
    def on_delete(self, call: Call, configuration: str) -> None:
        self._groups.delete(find_configuration(call, configuration))


class ConfigurationInstances(_Resource):
    """GET /configurations/{id}/instances."""

    @endpoint("Where a group is attached", returns=wire.AttachedInstances, query=PAGE)
    def on_get(self, call: Call, configuration: str) -> wire.AttachedInstances:
        group = find_configuration(call, configuration)
        query = Instance.select().where(Instance.configuration == group, Instance.deleted.is_null())
        rows, links = page_by_id(call, self._services.settings, "instances", query, Instance)
        names = [wire.InstanceName(id=row.id, name=row.name) for row in rows]
        return wire.AttachedInstances(instances=names, **links)


class _Parameters(_Resource):
    def _rules(self, version: DatastoreVersion) -> dict[str, Parameter]:
        return self._services.catalogue.parameters(version.manager, version.name)

    def _list(self, version: DatastoreVersion) -> wire.ParameterList:
        rules = self._rules(version).values()
        return wire.ParameterList(parameters=[_parameter(rule, version) for rule in rules])

    def _one(self, version: DatastoreVersion, name: str) -> wire.Parameter:
        return _parameter(find_rule(self._rules(version), name), version)


class ParameterCollection(_Parameters):
    """GET /datastores/{ds}/versions/{v}/parameters."""

    @endpoint("Parameters of a version", returns=wire.ParameterList)
    def on_get(self, _call: Call, datastore: str, version: str) -> wire.ParameterList:
        return self._list(find_version_of(find_datastore(datastore), version))


class ParameterItem(_Parameters):
    """GET /datastores/{ds}/versions/{v}/parameters/{p}."""

    @endpoint("A parameter of a version", returns=wire.Parameter)
    def on_get(self, _call: Call, datastore: str, version: str, parameter: str) -> wire.Parameter:
        return self._one(find_version_of(find_datastore(datastore), version), parameter)


class ParameterCollectionById(_Parameters):
    """GET /datastores/versions/{v}/parameters."""

    @endpoint("Parameters of a version by its id", returns=wire.ParameterList)
    def on_get(self, _call: Call, version: str) -> wire.ParameterList:
        return self._list(find_version_by_id(version))


class ParameterItemById(_Parameters):
    """GET /datastores/versions/{v}/parameters/{p}."""

    @endpoint("A parameter of a version by its id", returns=wire.Parameter)
    def on_get(self, _call: Call, version: str, parameter: str) -> wire.Parameter:
        return self._one(find_version_by_id(version), parameter)


def _started(operations: list[Any]) -> Started | None:
    return Started(operations[-1].id) if operations else None


def _parameter(rule: Parameter, version: DatastoreVersion) -> wire.Parameter:
    return wire.Parameter(
        name=rule.name,
        type=rule.type,
        restart_required=rule.restart_required,
        datastore_version_id=version.id,
        min=UNSET if rule.min is None else rule.min,
        max=UNSET if rule.max is None else rule.max,
    )


def _view(group: Configuration) -> wire.Configuration:
    version = group.version
    return wire.Configuration(
        id=group.id,
        name=group.name,
        description=group.description,
        created=timestamp(group.created),
        updated=timestamp(group.updated),
        datastore_name=version.datastore.name,
        datastore_version_id=version.id,
        datastore_version_name=version.name,
        datastore_version_number=version.version,
    )


def _detail(group: Configuration) -> wire.Configuration:
    view = _view(group)
    view.values = masked(group.values)
    view.instance_count = len(attached(group))
    return view
