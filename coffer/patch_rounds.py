"""Going on with patch runs: the sweeper asks for it, and a worker whenever an operation has ended.

A round is one transaction under the run's lock: it settles what has ended and begins what is next.
Whoever dies, the next round finds in the records where the run stands.
"""

from datetime import datetime, timedelta

from coffer.backup_ends import MAKES
from coffer.catalogue import Catalogue
from coffer.clock import timestamp, utcnow
from coffer.database import transaction
from coffer.dispatch import Dispatcher, Outbox
from coffer.errors import CofferError
from coffer.lifecycle import abort
from coffer.models import Instance, Operation, PatchMember, PatchRun
from coffer.operations import ACTIVE_STATES, State
from coffer.patch_runs import DOES, UNDER_WAY, WORKING, MemberState, RunState, locked
from coffer.patch_starts import Starter
from coffer.patches import Patches
from coffer.proofs import Proofs
from coffer.protection import Protector
from coffer.quotas import Quotas
from coffer.secrets import Vault
from coffer.windows import of_instance, opening

STARTERS = (MAKES, *DOES.values())
"""Operations that a run begins."""


class PatchRounds:
    """What is next in patch runs."""

    def __init__(
        self,
        vault: Vault,
        catalogue: Catalogue,
        protector: Protector,
        dispatcher: Dispatcher,
        quotas: Quotas,
    ) -> None:
        self._vault = vault
        self._catalogue = catalogue
        self._protector = protector
        self._dispatcher = dispatcher
        self._quotas = quotas

    def go_on(self, now: datetime) -> None:
        """All runs."""
        for run in list(PatchRun.select(PatchRun.id).where(PatchRun.state.in_(UNDER_WAY))):
            self.drive(run.id, now)

    def after(self, operation: Operation) -> None:
        """The run whose operation has just ended, if it is one's."""
        if operation.kind in STARTERS:
            member = PatchMember.get_or_none(PatchMember.operation_id == operation.id)
            if member is not None:
                self.drive(member.run_id, utcnow())

    def drive(self, run_id: str, now: datetime) -> None:
        """One round of one run."""
        outbox = Outbox()
        with transaction():
            run = locked(run_id)
            if run.state in UNDER_WAY:
                Round(run, self._starter(run, outbox, now), now, outbox).go()
        for operation in outbox.operations:
            self._dispatcher.send(operation)

    def _starter(self, run: PatchRun, outbox: Outbox, now: datetime) -> Starter:
        patches = Patches(self._catalogue, outbox, self._protector)
        proofs = Proofs(self._catalogue, self._vault, outbox, self._quotas)
        return Starter(run, self._protector, patches, proofs, outbox, now)


class Round:
    """One look at one run."""

    def __init__(self, run: PatchRun, starter: Starter, now: datetime, outbox: Outbox) -> None:
        self._run = run
        self._starter = starter
        self._now = now
        self._outbox = outbox
        self._closed: dict[int, datetime] = {}
        """When the windows open that are closed, by member."""
        self._members: list[PatchMember] = list(
            run.members.order_by(PatchMember.wave, PatchMember.id)
        )

    def go(self) -> None:
        """Settle what has ended, begin what is next."""
        for member in self._of(*WORKING):
            self._settle(member)
        while not self._is_over() and self._go_through_wave():
            pass
        if self._is_over():
            self._wind_up()
        for member in self._members:
            member.save()
        self._run.save()

    def _of(self, *states: MemberState) -> list[PatchMember]:
        return [member for member in self._members if member.state in states]

    def _settle(self, member: PatchMember) -> None:
        operation = Operation.get_by_id(member.operation_id)
        if operation.state in ACTIVE_STATES:
            return
        if operation.state == State.SUCCEEDED:
            had_its_turn = member.state == MemberState.RUNNING
            member.state = MemberState.DONE if had_its_turn else MemberState.PENDING
            return
        where = f" at '{operation.failing_task}'" if operation.failing_task else ""
        _fail(member, f"{operation.kind} {operation.state}{where}: {operation.reason}")

    def _is_over(self) -> bool:
        too_many = len(self._of(MemberState.FAILED)) > self._run.max_failures
        waiting = self._of(MemberState.PENDING, *WORKING)
        return too_many or not waiting or self._run.state == RunState.ABORTING

    def _go_through_wave(self) -> bool:
        """Begin what the present wave has; true when it has ended and the next one begins."""
        run = self._run
        if run.state == RunState.PAUSED and run.waits_until > self._now:
            return False
        run.state, run.reason, run.waits_until = RunState.RUNNING, None, None
        for member in self._of(MemberState.PENDING):
            if member.wave <= run.wave:
                self._begin(member)
        left = self._of(MemberState.PENDING, *WORKING)
        if not left or any(member.wave <= run.wave for member in left):
            self._wait_for_window()
            return False
        run.wave = min(member.wave for member in left)
        if run.pause:
            self._pause()
        return not run.pause

    def _pause(self) -> None:
        run = self._run
        run.state, run.waits_until = RunState.PAUSED, self._now + timedelta(seconds=run.pause)
        run.reason = f"a pause before wave {run.wave}, until {timestamp(run.waits_until)} UTC"

    def _wait_for_window(self) -> None:
        """Where nothing is under way, and nothing else is waited for."""
        turn = [row for row in self._of(MemberState.PENDING) if row.wave <= self._run.wave]
        if not turn or self._of(*WORKING) or any(row.id not in self._closed for row in turn):
            return
        first = min(turn, key=lambda row: self._closed[row.id])
        self._run.state, self._run.waits_until = RunState.WAITING, self._closed[first.id]
        self._run.reason = f"{first.instance.name} {first.problem}"

    def _begin(self, member: PatchMember) -> None:
        instance = Instance.get_by_id(member.instance_id)
        if why := self._left_out(instance):
            member.state, member.problem = MemberState.SKIPPED, why
        elif not self._waits(member, instance):
            try:
                self._starter.begin(member, instance)
            except CofferError as error:
                _fail(member, str(error))

    def _left_out(self, instance: Instance) -> str:
        if instance.deleted:
            return "the instance is gone"
        bad = (MemberState.FAILED, MemberState.SKIPPED)
        names = [row.instance.name for row in self._replicas(instance) if row.state in bad]
        return f"its replica {names[0]} has not been patched" if names else ""

    def _waits(self, member: PatchMember, instance: Instance) -> bool:
        """For replicas, a window, what is under way on it: all of that ends by itself."""
        behind = [row for row in self._replicas(instance) if row.state != MemberState.DONE]
        member.problem = (
            f"waits for its replica {behind[0].instance.name}"
            if behind
            else self._window(member, instance) or self._busy(instance)
        )
        return bool(member.problem)

    def _window(self, member: PatchMember, instance: Instance) -> str:
        window = of_instance(instance)
        if self._run.force or self._run.does != "patch" or window is None:
            return ""
        opens = opening(window, self._now)
        if opens <= self._now:
            return ""
        self._closed[member.id] = opens
        return f"waits for its maintenance window, from {timestamp(opens)} UTC"

    def _replicas(self, instance: Instance) -> list[PatchMember]:
        return [row for row in self._members if row.instance.source_id == instance.id]

    def _busy(self, instance: Instance) -> str:
        if self._run.does == "rehearse":  # in a guest of its own, one at a time
            other = self._of(MemberState.RUNNING)
            return f"waits for that of {other[0].instance.name}" if other else ""
        holder = Operation.get_or_none(Operation.lock == instance.id)
        return f"waits for {holder.kind} (operation {holder.id})" if holder else ""

    def _wind_up(self) -> None:
        """Begin nothing more; it is over when the last operation has ended."""
        aborting = self._run.state == RunState.ABORTING
        if not aborting:
            self._run.state, self._run.waits_until = RunState.RUNNING, None
        for member in self._of(MemberState.PENDING):
            member.state = MemberState.SKIPPED
            member.problem = self._run.reason if aborting else "the run stopped before its turn"
        for member in self._of(*WORKING) if aborting else ():
            self._stop(member)
        if not self._of(*WORKING):
            self._end(aborting)

    def _stop(self, member: PatchMember) -> None:
        operation = Operation.get_by_id(member.operation_id)
        if operation.state in ACTIVE_STATES and not operation.abort_requested:
            self._outbox.operations += abort(operation)
            self._settle(member)

    def _end(self, aborted: bool) -> None:
        run, failed = self._run, self._of(MemberState.FAILED)
        run.ended, run.waits_until = self._now, None
        if aborted:
            run.state = RunState.ABORTED
        elif not failed:
            run.state, run.reason = RunState.DONE, None
        else:
            left_out = bool(self._of(MemberState.SKIPPED))
            run.state = RunState.STOPPED if left_out else RunState.FAILED
            run.reason = f"{failed[0].instance.name}: {failed[0].problem}"
        for member in self._members:
            member.lock = None


def _fail(member: PatchMember, problem: str) -> None:
    member.state, member.problem = MemberState.FAILED, problem
