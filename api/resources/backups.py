"""/backups (Trove v1.0)."""

from typing import Any

from msgspec import UNSET

from api.backups import backup_view, find_backup, registration_of
from api.call import Call
from api.endpoint import Started, endpoint
from api.lookup import find_instance
from api.paging import cut, next_links
from api.requests import one_action
from api.schemas import backup as wire
from api.schemas.common import last_segment
from api.services import Services
from coffer.backups import BackupWish
from coffer.datastores import find_datastore
from coffer.errors import BadRequest, Forbidden, NotFound
from coffer.models import Backup, Datastore, DatastoreVersion, Repository

QUERY = ("limit", "marker", "datastore", "instance_id", "project_id", "all_projects")


class _Listing:
    def __init__(self, services: Services) -> None:
        self._services = services

    def _page(self, call: Call, query: Any) -> wire.BackupList:
        """A page by number, as Trove's are: what changes last comes first."""
        settings = self._services.settings
        limit = call.number("limit", settings.page_size, settings.maximum_page_size)
        limit, offset = limit or settings.page_size, call.number("marker", 0, 10**9)
        ordered = query.order_by(Backup.updated.desc(), Backup.id)
        rows, more = cut(list(ordered.limit(limit + 1).offset(offset)), limit)
        links = next_links(call, "backups", str(offset + limit) if more else None)
        return wire.BackupList(backups=[self._view(row) for row in rows], **links)

    def _view(self, backup: Backup) -> wire.Backup:
        return backup_view(backup, self._services.settings.region)


class BackupCollection(_Listing):
    """GET and POST /backups."""

    @endpoint("List backups", returns=wire.BackupList, query=QUERY)
    def on_get(self, call: Call) -> wire.BackupList:
        query = _backups()
        project = _project(call)
        if project is not None:
            query = query.where(Backup.project_id == project)
        if instance_id := call.parameter("instance_id"):
            query = query.where(Backup.instance == instance_id)
        if datastore := call.parameter("datastore"):
            query = query.where(DatastoreVersion.datastore == find_datastore(datastore))
        return self._page(call, query)

    @endpoint(
        "Make a backup",
        access="write",
        body=wire.CreateBackup,
        returns=wire.BackupDocument,
        status=202,
    )
    def on_post(self, call: Call, body: wire.CreateBackup) -> Started | wire.BackupDocument:
        given = body.backup
        if isinstance(given.restore_from, wire.RestoreFrom):
            wanted = registration_of(given, given.restore_from)
            registered = self._services.registrations.register(wanted, call.caller)
            return wire.BackupDocument(backup=self._view(registered))
        if given.instance is UNSET:
            raise BadRequest("backup.instance: is required")
        wish = BackupWish(
            name=given.name,
            description=given.description,
            method=given.method,
            parent=find_backup(call, last_segment(given.parent_id)) if given.parent_id else None,
            incremental=bool(given.incremental),
        )
        try:
            instance = find_instance(call, last_segment(str(given.instance)))
        except NotFound as error:  # Trove's answer
            raise BadRequest(f"backup.instance: {error}") from error
        backup, operation = self._services.backups.create(instance, wish, call.caller)
        return Started(operation.id, wire.BackupDocument(backup=self._view(backup)))


class BackupItem:
    """GET and DELETE /backups/{id}."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @endpoint("Show a backup", returns=wire.BackupDocument)
    def on_get(self, call: Call, backup: str) -> wire.BackupDocument:
        return wire.BackupDocument(
            backup=backup_view(find_backup(call, backup), self._services.settings.region)
        )

    @endpoint("Delete a backup and its children", access="write", status=202)
    def on_delete(self, call: Call, backup: str) -> Started | None:
        operation = self._services.backups.delete(find_backup(call, backup), call.caller)
        return Started(operation.id) if operation else None


class BackupActions:
    """POST /backups/{id}/action."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @endpoint("Verify a backup", access="write", body=wire.BackupAction, status=202)
    def on_post(self, call: Call, body: wire.BackupAction, backup: str) -> Started:
        one_action(body)
        operation = self._services.proofs.verify(find_backup(call, backup), call.caller)
        return Started(operation.id)


class BackupData:
    """GET /backups/{id}/data."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @endpoint("The backup as plain files of its engine", access="write")
    def on_get(self, call: Call, backup: str) -> None:
        opened = self._services.exports.open(find_backup(call, backup))
        call.response.content_type = "application/octet-stream"
        call.response.downloadable_as = opened.name
        call.response.stream = opened


class BackupKey:
    """POST /backups/{id}/key: asked for like a change, so that the audit has it."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @endpoint("The key of a backup's repository", access="write", returns=wire.BackupKey)
    def on_post(self, call: Call, backup: str) -> wire.BackupKey:
        found = find_backup(call, backup)
        return wire.BackupKey(key=self._services.repositories.key(found.repository_id))


class InstanceBackups(_Listing):
    """GET /instances/{id}/backups."""

    @endpoint("Backups of an instance", returns=wire.BackupList, query=("limit", "marker"))
    def on_get(self, call: Call, instance: str) -> wire.BackupList:
        row = find_instance(call, instance)
        return self._page(call, _backups().where(Backup.instance == row))


def _backups() -> Any:
    return (
        Backup.select(Backup, DatastoreVersion, Datastore, Repository)
        .join(DatastoreVersion)
        .join(Datastore)
        .switch(Backup)
        .join(Repository)
    )


def _project(call: Call) -> str | None:
    """Whose backups are listed; None for everybody's.

    Raises:
        Forbidden: another project's are for administrators.
    """
    everybody, wanted = call.flag("all_projects"), call.parameter("project_id")
    if (everybody or wanted not in (None, call.project_id)) and not call.identity.is_admin:
        raise Forbidden("all_projects and project_id need the role 'admin'")
    return None if everybody else wanted or call.project_id
