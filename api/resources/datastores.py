"""/datastores and their versions (Trove v1.0, the user's view)."""

from msgspec import UNSET

from api.call import Call
from api.endpoint import endpoint
from api.schemas import datastore as wire
from coffer.datastores import (
    active_versions,
    find_datastore,
    find_version_by_id,
    find_version_of,
)
from coffer.models import Datastore, DatastoreVersion
from coffer.versions import delete_datastore


class DatastoreCollection:
    """GET /datastores."""

    @endpoint("List datastores", returns=wire.DatastoreList)
    def on_get(self, call: Call) -> wire.DatastoreList:
        views = [_datastore(call, row) for row in Datastore.select().order_by(Datastore.name)]
        shown = [view for view in views if view.versions or call.identity.is_admin]
        return wire.DatastoreList(datastores=shown)


class DatastoreItem:
    """GET /datastores/{name or id}."""

    @endpoint("Show a datastore", returns=wire.DatastoreDocument)
    def on_get(self, call: Call, datastore: str) -> wire.DatastoreDocument:
        return wire.DatastoreDocument(datastore=_datastore(call, find_datastore(datastore)))

    @endpoint("Delete a datastore", access="admin", status=202)
    def on_delete(self, _call: Call, datastore: str) -> None:
        delete_datastore(find_datastore(datastore))


class VersionCollection:
    """GET /datastores/{name or id}/versions."""

    @endpoint("List the versions of a datastore", returns=wire.VersionList)
    def on_get(self, call: Call, datastore: str) -> wire.VersionList:
        rows = active_versions(find_datastore(datastore))
        return wire.VersionList(versions=[_version(call, row) for row in rows])


class VersionItem:
    """GET /datastores/{name or id}/versions/{name or id}."""

    @endpoint("Show a version", returns=wire.VersionDocument)
    def on_get(self, call: Call, datastore: str, version: str) -> wire.VersionDocument:
        row = find_version_of(find_datastore(datastore), version)
        return wire.VersionDocument(version=_version(call, row))


class VersionById:
    """GET /datastores/versions/{id}."""

    @endpoint("Show a version by its id", returns=wire.VersionDocument)
    def on_get(self, call: Call, version: str) -> wire.VersionDocument:
        return wire.VersionDocument(version=_version(call, find_version_by_id(version)))


def _datastore(call: Call, row: Datastore) -> wire.Datastore:
    versions = active_versions(row)
    default = row.default_version_id
    return wire.Datastore(
        id=row.id,
        name=row.name,
        links=call.links("datastores", row.id),
        versions=[_version(call, version, nested=True) for version in versions],
        default_version=default
        if default and default in {version.id for version in versions}
        else UNSET,
    )


def _version(call: Call, row: DatastoreVersion, nested: bool = False) -> wire.Version:
    view = wire.Version(
        id=row.id,
        name=row.name,
        version=row.version,
        links=call.links("datastores/versions", row.id),
        datastore=UNSET if nested else row.datastore_id,
    )
    if call.identity.is_admin:
        view.active, view.image, view.image_tags = row.active, row.image, row.image_tags
        view.packages = ",".join(row.packages) or None
        view.registry_ext, view.repl_strategy = row.registry_ext, row.repl_strategy
    return view
