"""What a patch run begins with an instance: a backup where one is due, else what the run does."""

from datetime import datetime

from coffer.backup_ends import MAKES
from coffer.callers import Caller
from coffer.dispatch import Dispatcher
from coffer.models import Instance, Operation, PatchMember, PatchRun
from coffer.operations import State
from coffer.patch_runs import DOES, MemberState
from coffer.patches import Patches
from coffer.proofs import Proofs
from coffer.protection import Protector, complete


class Starter:
    """Begins an instance's next operation."""

    def __init__(
        self,
        run: PatchRun,
        protector: Protector,
        patches: Patches,
        proofs: Proofs,
        dispatcher: Dispatcher,
        now: datetime,
    ) -> None:
        self._run = run
        self._caller = Caller(run.project_id, run.user, run.request_id)
        self._protector = protector
        self._patches = patches
        self._proofs = proofs
        self._dispatcher = dispatcher
        self._now = now

    def begin(self, member: PatchMember, instance: Instance) -> None:
        """A backup, or what the run is for.

        Raises:
            CofferError: the instance's state does not allow it, or the project's quota.
        """
        if self._needs_backup(member, instance):
            made = self._protector.back_up(instance, self._caller, self._dispatcher, "patch")
            operation = made[1]
            member.state = MemberState.BACKUP
        elif self._run.does == "rehearse":
            operation = self._rehearse(instance)
            member.state = MemberState.RUNNING
        else:
            kind, packages = DOES[self._run.does], self._run.packages
            operation = self._patches.begin(kind, instance, self._caller, packages, backup=False)
            member.state = MemberState.RUNNING
        member.operation_id, member.problem = operation.id, ""

    def _rehearse(self, instance: Instance) -> Operation:
        return self._proofs.rehearse(complete(instance).first(), self._run.packages, self._caller)

    def _needs_backup(self, member: PatchMember, instance: Instance) -> bool:
        if self._run.does == "rehearse":
            return not complete(instance).exists()
        if self._run.does != "patch" or not self._run.backup or _made(member):
            return False
        return self._protector.is_due(instance, self._now)


def _made(member: PatchMember) -> bool:
    """Whether the run itself has just backed the instance up."""
    last = Operation.get_or_none(Operation.id == member.operation_id)
    return last is not None and (last.kind, last.state) == (MAKES, State.SUCCEEDED)
