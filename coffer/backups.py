"""What can be asked of backups: each request is one transaction of its rows and an operation."""

from dataclasses import dataclass
from typing import Any

from coffer.backup_ends import COMPLETED, DELETES, MAKES, REWINDS, RUNNING, display_backup_status
from coffer.catalogue import Catalogue
from coffer.database import transaction
from coffer.dispatch import Dispatcher
from coffer.errors import BadRequest, NotSupported, Unprocessable
from coffer.instances import Caller
from coffer.lifecycle import begin
from coffer.models import Backup, Instance, Operation
from coffer.operations import ACTIVE_STATES, KINDS
from coffer.points import chains_needed
from coffer.quotas import Quotas
from coffer.repositories import Repositories
from coffer.status import require_running

RESTORES = "instance_restore"


@dataclass(frozen=True, kw_only=True)
class BackupWish:
    """A backup as it was asked for; `parent` comes before `incremental`."""

    name: str
    description: str | None = None
    method: str | None = None
    """None means the first that the engine has."""
    parent: Backup | None = None
    incremental: bool = False


class Backups:
    """Requests about backups, checked, recorded and sent on their way."""

    def __init__(
        self,
        catalogue: Catalogue,
        repositories: Repositories,
        dispatcher: Dispatcher,
        quotas: Quotas,
    ) -> None:
        self._quotas = quotas
        self._catalogue = catalogue
        self._repositories = repositories
        self._dispatcher = dispatcher

    def create(
        self, instance: Instance, wish: BackupWish, caller: Caller
    ) -> tuple[Backup, Operation]:
        """Record the backup (status NEW) and start it.

        Raises:
            BadRequest, NotSupported, Unprocessable: naming the field, or the instance's state.
            OverLimit: the project has as many as it may.
        """
        method = self._method(instance, wish.method)
        with transaction():
            fresh = Instance.get_by_id(instance.id)
            require_running(fresh)
            self._quotas.reserve(fresh.project_id, backups=1)
            backup = Backup(
                project_id=fresh.project_id,
                name=wish.name,
                description=wish.description,
                instance=fresh,
                version=fresh.version_id,
                repository=self._repositories.of(fresh),
                parent=_parent(fresh, wish),
                method=method,
            )
            operation = self._begin(
                MAKES, fresh, caller, {"coffer_backup": {"id": backup.id, "method": method}}
            )
            backup.operation_id = operation.id
            backup.save(force_insert=True)
        self._dispatcher.send(operation)
        return backup, operation

    def delete(self, backup: Backup, caller: Caller) -> Operation | None:
        """Delete a backup and its children; None when there was no data of any, and all is done.

        Raises:
            Unprocessable: it is being made, deleted or restored, or a child is.
        """
        with transaction():
            rows = family(Backup.get_by_id(backup.id))
            _require_idle(rows)
            snapshots = [row.snapshot for row in rows if row.snapshot]
            ids = [row.id for row in rows]
            if not snapshots:
                Backup.delete().where(Backup.id.in_(ids)).execute()
                return None
            operation = self._begin(
                DELETES,
                Instance.get_by_id(backup.repository_id),
                caller,
                {
                    "coffer_backups": ids,
                    "coffer_snapshots": snapshots,
                    "coffer_chains": chains_needed(backup.repository_id, ids),
                },
            )
            Backup.update(operation_id=operation.id).where(Backup.id.in_(ids)).execute()
        self._dispatcher.send(operation)
        return operation

    def _begin(
        self, kind: str, instance: Instance, caller: Caller, parameters: dict[str, Any]
    ) -> Operation:
        return begin(
            KINDS[kind],
            instance,
            user=caller.user,
            request_id=caller.request_id,
            parameters={"coffer_repository": instance.id, **parameters},
        )

    def _method(self, instance: Instance, wanted: str | None) -> str:
        engine = self._catalogue.engine(instance.version.manager)
        if not engine.backup_methods:
            raise NotSupported(f"{engine.title} has no backups")
        if wanted and wanted not in engine.backup_methods:
            known = ", ".join(engine.backup_methods)
            raise BadRequest(f"method: '{wanted}' is not one of {known} of {engine.title}")
        return wanted or engine.backup_methods[0]


def _parent(instance: Instance, wish: BackupWish) -> Backup | None:
    """The backup that is named, or of an incremental one the newest; None makes a full one."""
    if wish.parent is not None:
        if wish.parent.instance_id != instance.id:
            raise BadRequest(f"parent_id: backup {wish.parent.id} is of another instance")
        if wish.parent.status != COMPLETED:
            raise BadRequest(f"parent_id: backup {wish.parent.id} is {wish.parent.status}")
        return wish.parent
    if not wish.incremental:
        return None
    done = Backup.select().where(Backup.instance == instance, Backup.status == COMPLETED)
    newest: Backup | None = done.order_by(Backup.created.desc()).first()
    return newest


def family(backup: Backup) -> list[Backup]:
    """The backup and all that name it, or one of those, as their parent."""
    found, fresh = [backup], [backup]
    while fresh:
        fresh = list(Backup.select().where(Backup.parent.in_([row.id for row in fresh])))
        found += fresh
    return found


def _require_idle(rows: list[Backup]) -> None:
    ids = {row.id for row in rows}
    for row in rows:
        if display_backup_status(row) in RUNNING:
            raise Unprocessable(f"backup {row.id} is being made: wait, or abort its operation")
    busy = Operation.select().where(
        Operation.kind.in_([DELETES, RESTORES, REWINDS]), Operation.state.in_(ACTIVE_STATES)
    )
    for operation in busy:
        parameters = operation.parameters
        used = {
            *parameters.get("coffer_backups", ()),
            parameters.get("coffer_backup", {}).get("id"),
        }
        if ids & used:
            raise Unprocessable(f"{operation.kind} (operation {operation.id}) works on the backup")


def remaining(instance: Instance) -> list[Backup]:
    """Backups that stay when the instance is deleted, newest first."""
    rows = Backup.select().where(Backup.instance == instance, Backup.status == COMPLETED)
    return list(rows.order_by(Backup.created.desc()))
