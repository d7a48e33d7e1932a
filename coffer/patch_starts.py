"""What a patch run begins with an instance: a backup where one is due, else what the run does."""

from datetime import datetime
from typing import Any

from coffer.backup_ends import COMPLETED, MAKES
from coffer.backups import Backups, BackupWish
from coffer.callers import Caller
from coffer.models import Backup, Instance, Operation, PatchMember, PatchRun
from coffer.operations import State
from coffer.patch_runs import DOES, MemberState
from coffer.patches import Patches
from coffer.proofs import Proofs


class Starter:
    """Begins an instance's next operation."""

    def __init__(
        self,
        run: PatchRun,
        backups: Backups,
        patches: Patches,
        proofs: Proofs,
        since: datetime | None,
    ) -> None:
        """A backup from before `since` is not fresh; None means that none is needed."""
        self._run = run
        self._caller = Caller(run.project_id, run.user, run.request_id)
        self._backups = backups
        self._patches = patches
        self._proofs = proofs
        self._since = since

    def begin(self, member: PatchMember, instance: Instance) -> None:
        """A backup, or what the run is for.

        Raises:
            CofferError: the instance's state does not allow it, or the project's quota.
        """
        if self._needs_backup(member, instance):
            operation = self._back_up(instance)
            member.state = MemberState.BACKUP
        elif self._run.does == "rehearse":
            operation = self._rehearse(instance)
            member.state = MemberState.RUNNING
        else:
            kind, packages = DOES[self._run.does], self._run.packages
            operation = self._patches.begin(kind, instance, self._caller, packages)
            member.state = MemberState.RUNNING
        member.operation_id, member.problem = operation.id, ""

    def _back_up(self, instance: Instance) -> Operation:
        name, why = f"{instance.name[:220]}-before-patch", "made by a patch run"
        wish = BackupWish(name=name, description=why)
        return self._backups.create(instance, wish, self._caller)[1]

    def _rehearse(self, instance: Instance) -> Operation:
        newest: Any = _complete(instance).order_by(Backup.created.desc()).first()
        return self._proofs.rehearse(newest, self._run.packages, self._caller)

    def _needs_backup(self, member: PatchMember, instance: Instance) -> bool:
        if self._run.does == "rehearse":
            return not _complete(instance).exists()
        if self._run.does != "patch" or self._since is None:
            return False
        if not self._backups.has_methods(instance) or _made(member):
            return False
        return not _complete(instance).where(Backup.created > self._since).exists()


def _complete(instance: Instance) -> Any:
    return Backup.select().where(Backup.instance == instance, Backup.status == COMPLETED)


def _made(member: PatchMember) -> bool:
    """Whether the run itself has just backed the instance up."""
    last = Operation.get_or_none(Operation.id == member.operation_id)
    return last is not None and (last.kind, last.state) == (MAKES, State.SUCCEEDED)
