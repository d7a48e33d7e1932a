"""What can be asked of backups: each request is one transaction of its rows and an operation."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from coffer.backup_ends import COMPLETED, MAKES, RUNNING, display_backup_status
from coffer.backup_uses import DELETES, deleter, reader
from coffer.callers import Caller
from coffer.catalogue import Catalogue
from coffer.database import transaction
from coffer.dispatch import Dispatcher
from coffer.errors import BadRequest, NotSupported, Unprocessable
from coffer.models import Backup, Instance, Operation
from coffer.points import chains_needed
from coffer.quotas import Quotas
from coffer.repositories import Repositories, forget_if_foreign
from coffer.status import require_running


@dataclass(frozen=True, kw_only=True)
class BackupWish:
    """A backup as it was asked for; `parent` comes before `incremental`."""

    name: str
    description: str | None = None
    method: str | None = None
    """None means the first that the engine has."""
    parent: Backup | None = None
    incremental: bool = False
    slot: datetime | None = None
    """The moment of a schedule that it is for."""


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
            if wish.slot and fresh.scheduled and fresh.scheduled >= wish.slot:
                raise Unprocessable(f"the backup of {wish.slot} has begun already")
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
                scheduled=wish.slot is not None,
            )
            if wish.slot:
                fresh.scheduled = wish.slot
                fresh.save()
            wanted = {"id": backup.id, "method": method}
            parameters = {"coffer_repository": fresh.id, "coffer_backup": wanted}
            operation = caller.begin(MAKES, fresh, parameters=parameters)
            backup.operation_id = operation.id
            backup.save(force_insert=True)
        self._dispatcher.send(operation)
        return backup, operation

    def delete(self, backup: Backup, caller: Caller) -> Operation | None:
        """Delete a backup and its children; None when there was no data of ours, and all is done.

        Raises:
            Unprocessable: it is being made, or what works on its repository reads or deletes.
        """
        return self._delete(lambda: family(Backup.get_by_id(backup.id)), caller)

    def retire(self, backups: list[Backup], caller: Caller) -> Operation | None:
        """Delete backups of one instance that nobody has as a parent.

        Raises:
            Unprocessable: as `delete`.
        """
        return self._delete(lambda: backups, caller)

    def _delete(self, find: Callable[[], list[Backup]], caller: Caller) -> Operation | None:
        with transaction():
            rows = find()
            _require_idle(rows)
            snapshots = [row.snapshot for row in rows if row.snapshot]
            ids = [row.id for row in rows]
            if rows[0].repository.source or not snapshots:  # there is nothing of ours to delete
                Backup.delete().where(Backup.id.in_(ids)).execute()
                forget_if_foreign(rows[0].repository)
                return None
            operation = caller.begin(
                DELETES,
                Instance.get_by_id(rows[0].repository_id),
                parameters={
                    "coffer_repository": rows[0].repository_id,
                    "coffer_backups": ids,
                    "coffer_snapshots": snapshots,
                    "coffer_chains": chains_needed(rows[0].repository_id, ids),
                },
            )
            Backup.update(operation_id=operation.id).where(Backup.id.in_(ids)).execute()
        self._dispatcher.send(operation)
        return operation

    def has_methods(self, instance: Instance) -> bool:
        """Whether the instance's engine can be backed up at all."""
        return bool(self._catalogue.engine(instance.version.manager).backup_methods)

    def method_or_none(self, instance: Instance, wanted: str | None) -> str | None:
        """The method if the engine has it, else None."""
        engine = self._catalogue.engine(instance.version.manager)
        return wanted if wanted in engine.backup_methods else None

    def check_method(self, instance: Instance | None, wanted: str | None) -> str | None:
        """The method if the instance's engine, or any engine, has it.

        Raises:
            BadRequest, NotSupported: it has not, or it has no backups at all.
        """
        if instance is not None:
            self._method(instance, wanted)
            return wanted
        known = {name for each in self._catalogue.engines.values() for name in each.backup_methods}
        if wanted and wanted not in known:
            raise BadRequest(f"method: '{wanted}' is not one of {', '.join(sorted(known))}")
        return wanted

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
    for row in rows:
        if display_backup_status(row) in RUNNING:
            raise Unprocessable(f"backup {row.id} is being made: wait, or abort its operation")
    repository = rows[0].repository_id
    busy = deleter(repository) or reader(repository)
    if busy is not None:
        raise Unprocessable(
            f"{busy.kind} (operation {busy.id}) works on the instance's backups: wait, or abort it"
        )
