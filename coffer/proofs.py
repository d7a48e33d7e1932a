"""Proofs: a backup is restored into a guest of its own, checked there, and the guest thrown away.

Such a guest is an instance whose record is deleted from the beginning: no list, no quota and no
watch knows it; only its operation does, which ends with nothing left of it.
"""

from collections.abc import Iterable
from datetime import datetime
from math import ceil
from typing import Any

from peewee import fn

from coffer.backup_ends import COMPLETED
from coffer.backup_uses import REHEARSES, VERIFIES
from coffer.callers import Caller
from coffer.catalogue import Catalogue
from coffer.clock import utcnow
from coffer.database import transaction
from coffer.dispatch import Dispatcher
from coffer.errors import Unprocessable
from coffer.inventory import running_version
from coffer.models import Backup, Instance, Operation
from coffer.operations import ACTIVE_STATES
from coffer.quotas import Quotas
from coffer.restores import GIB, require_restorable, row_of
from coffer.secrets import Vault, new_host_key

NOBODY = {"is_public": False, "allowed_cidrs": ["127.0.0.1/32"]}
"""Who may connect to the engine of such a guest: it holds users' data, and has no user."""


class Proofs:
    """Requests to verify backups."""

    def __init__(
        self, catalogue: Catalogue, vault: Vault, dispatcher: Dispatcher, quotas: Quotas
    ) -> None:
        self._catalogue = catalogue
        self._vault = vault
        self._dispatcher = dispatcher
        self._quotas = quotas

    def verify(self, backup: Backup, caller: Caller) -> Operation:
        """Start to prove that the backup can be restored.

        Raises:
            Conflict: it is not complete, or is being deleted.
            Unprocessable: the project has another one verified; each takes a guest's room.
        """
        return self._begin(VERIFIES, "verify", backup, caller, {})

    def rehearse(self, backup: Backup, packages: str, caller: Caller) -> Operation:
        """Start to patch a guest that the backup was restored to.

        Raises:
            Conflict, Unprocessable: as for `verify`.
        """
        return self._begin(REHEARSES, "rehearse", backup, caller, {"patch_packages": packages})

    def _begin(
        self, kind: str, word: str, backup: Backup, caller: Caller, more: dict[str, Any]
    ) -> Operation:
        private, public = new_host_key()
        with transaction():
            self._quotas.lock(backup.project_id)
            fresh = Backup.get_by_id(backup.id)
            size = self._volume_size(fresh)
            require_restorable(fresh, fresh.version_id, size, field="backup")
            _require_none_under_way(fresh.project_id)
            guest = Instance.create(
                project_id=fresh.project_id,
                name=f"{word}-{fresh.id[:8]}",
                version=fresh.version_id,
                engine_version=_running(fresh) if kind == REHEARSES else "",
                provider=self._catalogue.provider.name,
                flavor_id=self._flavor(fresh),
                volume_size=size,
                access=NOBODY,
                state="SCRATCH",
                host_key_public=public,
                deleted=utcnow(),
            )
            self._vault.put(guest, "host_key", private)
            parameters = {"coffer_repository": fresh.repository_id, "coffer_backup": row_of(fresh)}
            operation = caller.begin(kind, guest, parameters=parameters | more)
        self._dispatcher.send(operation)
        return operation

    def _volume_size(self, backup: Backup) -> int:
        """GiB: as large as the instance's, and large enough for what the backup holds."""
        least = self._catalogue.provider.volume.minimum
        own = backup.instance.volume_size if backup.instance else 0
        return max(least, own, ceil((backup.size or 0) / GIB))

    def _flavor(self, backup: Backup) -> str:
        """The instance's, or the smallest that the engine runs in."""
        if backup.instance:
            return str(backup.instance.flavor_id)
        needed = self._catalogue.engine(backup.version.manager).minimum_ram
        fitting = [each for each in self._catalogue.provider.flavors if each.ram >= needed]
        return min(fitting, key=lambda flavor: flavor.ram).id


def _running(backup: Backup) -> str:
    """What the backup's instance runs: a rehearsal begins with that, not with the newest."""
    instance = backup.instance
    if instance is None or instance.version_id != backup.version_id:
        return ""
    return running_version(instance)


def _require_none_under_way(project_id: str) -> None:
    other = Operation.get_or_none(
        Operation.project_id == project_id,
        Operation.kind.in_((VERIFIES, REHEARSES)),
        Operation.state.in_(ACTIVE_STATES),
    )
    if other is not None:
        raise Unprocessable(
            f"another backup is being verified (operation {other.id}): wait, or abort it"
        )


def last_proven(instance_ids: Iterable[str] | None = None) -> dict[str, datetime]:
    """When the newest backup was made that is proven, by instance; of all, or of those named."""
    named = [] if instance_ids is None else [Backup.instance.in_(list(instance_ids))]
    return _newest(Backup.verified, *named)


def last_complete() -> dict[str, datetime]:
    """When the newest complete backup was made, proven or not, by instance."""
    return _newest()


def _newest(*which: Any) -> dict[str, datetime]:
    query = Backup.select(Backup.instance_id, fn.MAX(Backup.created)).where(
        Backup.status == COMPLETED, Backup.instance.is_null(False), *which
    )
    rows: Any = query.group_by(Backup.instance_id).tuples()
    return dict(rows)
