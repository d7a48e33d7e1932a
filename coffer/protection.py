"""Backups from before a patch, an upgrade or a rebuild: which one is fresh, and making one."""

from datetime import datetime, timedelta
from typing import Any

from coffer.backup_ends import COMPLETED
from coffer.backups import Backups, BackupWish
from coffer.callers import Caller
from coffer.catalogue import Catalogue
from coffer.clock import utcnow
from coffer.dispatch import Dispatcher
from coffer.models import Backup, Instance, Operation
from coffer.quotas import Quotas
from coffer.repositories import Repositories
from coffer.turns import PROTECTED_BY


class Protector:
    """Knows which backup is fresh, and makes one."""

    def __init__(
        self, catalogue: Catalogue, repositories: Repositories, quotas: Quotas, hours: int
    ) -> None:
        """`hours`: a backup is fresh for so long; 0 is for installations that want none."""
        self._catalogue = catalogue
        self._repositories = repositories
        self._quotas = quotas
        self._fresh = timedelta(hours=hours)

    def fresh(self, instance: Instance, now: datetime | None = None) -> Backup | None:
        """The newest complete backup, if it is fresh."""
        since = (now or utcnow()) - self._fresh
        found: Backup | None = complete(instance).where(Backup.created > since).first()
        return found

    def is_due(self, instance: Instance, now: datetime | None = None) -> bool:
        """Whether there is none that is fresh, and could be one."""
        engine = self._catalogue.engine(instance.version.manager)
        return bool(self._fresh and engine.backup_methods) and self.fresh(instance, now) is None

    def named(self, instance: Instance, made: Backup | None = None) -> dict[str, Any]:
        """What an operation's parameters tell of the backup that the instance could go back to.

        `made` is the one that is being made for it, if one is.
        """
        found = made or self.fresh(instance)
        return {PROTECTED_BY: found.id} if found else {}

    def back_up(
        self, instance: Instance, caller: Caller, dispatcher: Dispatcher, what: str
    ) -> tuple[Backup, Operation]:
        """Begin a backup before `what`, a word such as `patch`.

        Raises:
            CofferError: the instance's state does not allow it, or the project's quota.
        """
        backups = Backups(self._catalogue, self._repositories, dispatcher, self._quotas)
        wish = BackupWish(
            name=f"{instance.name[:220]}-before-{what}", description=f"made before a {what}"
        )
        return backups.create(instance, wish, caller)


def complete(instance: Instance) -> Any:
    """Its complete backups, the newest first."""
    rows = Backup.select().where(Backup.instance == instance, Backup.status == COMPLETED)
    return rows.order_by(Backup.created.desc())
