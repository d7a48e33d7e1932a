"""A small model of what Coffer promises: what is refused, how operations end, what is then true.

It knows nothing of how that is done. The table of operations and the flavors are taken as given.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from tests.model.provider import Fate, Provider
from tests.model.rows import GONE, LEAVING, RAM, RETRYABLE, BackupRow, Op, Row


class Records:
    """What must be true of a project."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.rows: dict[str, Row] = {}
        self.ops: dict[str, Op] = {}
        self.backups: dict[str, BackupRow] = {}
        self.limits = {"instances": 100, "ram": -1, "volumes": 1000, "backups": 500}
        self.to_open: list[str] = []
        """Instances whose engine must be closed to a guest that left: each gets an operation."""
        self._numbers = itertools.count()

    # what is there

    def living(self) -> list[Row]:
        """Instances that are not deleted."""
        return [row for row in self.rows.values() if row.state != GONE]

    def followers(self, row: Row) -> list[Row]:
        """Its replicas."""
        return [other for other in self.living() if other.source == row.id]

    def others(self, row: Row) -> list[Row]:
        """The rest of its replica set."""
        source = self.rows[row.source] if row.source else row
        return [each for each in (source, *self.followers(source)) if each is not row]

    def active_of(self, instance: str) -> list[Op]:
        """Operations under way, the oldest first."""
        return [op for op in self.ops.values() if op.active and instance in op.instances]

    def task(self, row: Row) -> str | None:
        """The word of the newest operation under way that has one."""
        words = [op.word(row.id) for op in self.active_of(row.id)]
        return next((word for word in reversed(words) if word), None)

    def status(self, row: Row) -> str:
        """As GET of an instance shows it."""
        if word := self.task(row):
            return word
        if row.state == "ACTIVE" and row.health in ("ERROR", "SHUTDOWN"):
            return row.health
        return row.state

    def idle(self, row: Row) -> bool:
        """Nothing reshapes it."""
        return row.state == "ACTIVE" and self.task(row) is None

    def can_act(self, row: Row) -> bool:
        """It is idle and its guest speaks."""
        return self.idle(row) and row.health in ("HEALTHY", "SHUTDOWN")

    def runs(self, row: Row) -> bool:
        """Its engine runs, too."""
        return self.idle(row) and row.health == "HEALTHY"

    def usage(self) -> dict[str, int]:
        """What counts against the quotas: what there is, and what resizes under way will add."""
        living = self.living()
        taken = {
            "instances": len(living),
            "ram": sum(RAM[row.flavor] for row in living),
            "volumes": sum(row.volume for row in living),
            "backups": sum(self.backup_status(row) != "FAILED" for row in self.backups.values()),
        }
        for op in self.ops.values():
            if op.active and op.kind == "instance_resize":
                row = self.rows[op.instances[0]]
                taken["volumes"] += max(0, op.changes.get("volume", 0) - row.volume)
                flavor = op.changes.get("flavor", row.flavor)
                taken["ram"] += max(0, RAM[flavor] - RAM[row.flavor])
        return taken

    def exceeds(self, **more: int) -> bool:
        """Whether this much more is over a quota."""
        taken = self.usage()
        return any(
            number > 0 and -1 < self.limits[name] < taken[name] + number
            for name, number in more.items()
        )

    def backup_status(self, backup: BackupRow) -> str:
        """As GET of a backup shows it."""
        maker = self.ops[backup.maker]
        if maker.active:
            return "BUILDING" if maker.state == "running" else "NEW"
        return backup.status

    def uses(self, instance: str, *kinds: str) -> bool:
        """Whether an operation of a kind works on the instance's backups."""
        return any(
            op.active and op.kind in kinds and self.backups_of(op) == instance
            for op in self.ops.values()
        )

    def backups_of(self, op: Op) -> str | None:
        """Whose backups an operation works on."""
        return op.changes.get("repository")

    # what happens

    def begin(self, op_id: str, kind: str, *instances: str, **more: Any) -> Op:
        """An operation was accepted."""
        op = Op(op_id, kind, list(instances), next(self._numbers), **more)
        op.attempts = op.table.attempts
        op.locks = {key for key in instances if not self.active_of(key)}
        self.ops[op_id] = op
        return op

    def may_run(self, op: Op) -> bool:
        """It is queued, and each instance is its own or nobody's and it waits longest for it."""
        return op.state == "queued" and all(
            key in op.locks or self._is_next(op, key) for key in op.instances
        )

    def _is_next(self, op: Op, key: str) -> bool:
        others = [each for each in self.active_of(key) if each is not op]
        return not any(key in each.locks or each.number < op.number for each in others)

    def work(self, op: Op, fates: list[Fate], real: Callable[[], None]) -> None:
        """A worker takes it; `fates` are of its run and of the undo; `real` does it."""
        may = self.may_run(op)
        real()
        if not may:
            return
        op.state, op.locks = "running", set(op.instances)
        op.attempt += 1
        left = iter(fates)
        if not op.undoing and not self._do(op, left):
            return
        self._undo(op, next(left, Fate.WELL))

    def _do(self, op: Op, fates: Iterator[Fate]) -> bool:
        """Whether it has to be undone now."""
        stopped = "aborted" if op.abort else "expired" if op.late else None
        fate = Fate.FAILS if stopped else self._possible(op, next(fates, Fate.WELL))
        if fate is Fate.WELL:
            self.end(op, "succeeded")
        elif fate.fails:
            op.outcome = stopped or "failed"
            op.undoing = op.table.undo is not None
            if not op.undoing:
                self.end(op, op.outcome)
        else:
            self._die(op, fate)
        return op.undoing

    def _possible(self, op: Op, fate: Fate) -> Fate:
        """Nothing can be done in a guest that is gone, because its deletion failed after that."""
        there = op.instances[0] in self.provider.guests
        needed = op.kind == "access_update"  # all else is refused then
        return Fate.FAILS if fate.is_late and needed and not there else fate

    def _undo(self, op: Op, fate: Fate) -> None:
        if fate is Fate.WELL or fate.fails:
            self.end(op, op.outcome)
        else:
            self._die(op, fate)

    def _die(self, op: Op, fate: Fate) -> None:
        op.lost = True
        if not fate.kills_worker:  # the worker lives and says so at once
            self.release(op)

    def release(self, op: Op) -> None:
        """The worker or its playbook died: again, or undone, or over."""
        op.lost = False
        if op.attempt < op.attempts:
            op.state = "queued"
        elif op.undoing or op.table.undo is None:
            self.end(op, op.outcome)
        else:
            self._undo_later(op, "failed")

    def _undo_later(self, op: Op, outcome: str) -> None:
        op.state, op.undoing, op.outcome = "queued", True, outcome
        op.attempts = op.attempt + op.table.attempts

    def retry_refused(self, op: Op) -> set[int]:
        """Statuses with which a retry may be refused."""
        own = op.instances[0]
        later = any(own in each.instances and each.number > op.number for each in self.ops.values())
        refused = {422} if op.state not in RETRYABLE or later or self.active_of(own) else set()
        refused |= set() if self._same_set(op) and self._has_backups(op) else {422}
        row = self.rows[own]
        more = {
            "volumes": max(0, op.changes.get("volume", 0) - row.volume),
            "ram": RAM[op.changes.get("flavor", row.flavor)] - RAM[row.flavor],
            "backups": int(op.kind == "backup_create"),
        }
        return refused | ({413} if self.exceeds(**more) else set())

    def _same_set(self, op: Op) -> bool:
        then = set(op.instances[1:])
        now = {row.id for row in self.others(self.rows[op.instances[0]])}
        return not then or (then == now or (op.kind == "replica_create" and then <= now))

    def _has_backups(self, op: Op) -> bool:
        """What it makes or reads is still there, and nobody works on it."""
        place = self.backups_of(op)
        if op.kind == "backup_create":
            return op.backups[0] in self.backups
        if op.kind == "backup_delete":
            return not self.uses(str(place), "backup_delete", "instance_restore")
        if op.kind == "instance_restore":
            there = op.changes["backup"] in self.backups
            return there and not self.uses(str(place), "backup_delete")
        return True

    def retry(self, op: Op) -> None:
        """It was granted."""
        op.state, op.outcome = "queued", "failed"
        op.undoing = op.abort = op.late = False
        op.attempts = op.attempt + op.table.attempts
        op.locks = {op.instances[0]}

    def sweep(self) -> None:
        """What waits too long or shall not be done any more ends; who is silent is marked."""
        for op in list(self.ops.values()):
            if op.lost:
                self.release(op)
        for op in list(self.ops.values()):
            if op.state == "queued" and not op.undoing and (op.late or op.abort):
                outcome = "aborted" if op.abort else "expired"
                if op.attempt == 0 or op.table.undo is None:
                    self.end(op, outcome)
                else:
                    self._undo_later(op, outcome)
        self.mark_silent()

    def fall_silent(self) -> None:
        """No guest reports any more."""
        for row in self.living():
            row.silent = row.id in self.provider.guests
        self.mark_silent()

    def mark_silent(self) -> None:
        """Nobody expects a word of a guest that is worked on."""
        for row in self.living():
            if row.silent and self.idle(row):
                row.health = "ERROR"

    def end(self, op: Op, state: str) -> None:
        """Its end, and what that means."""
        op.state, op.locks = state, set()
        row = self.rows[op.instances[0]]
        source = row.source
        self._settle_backups(op)
        if state == "succeeded":
            self._succeed(op, row)
        else:
            self._fail(op, row)
        self._close_door(op, source)

    def _succeed(self, op: Op, row: Row) -> None:
        kind = op.table
        for key, change in op.changes.items():
            if key in ("flavor", "volume", "group", "source"):
                setattr(row, key, change)
        if kind.restarts:
            row.health = "HEALTHY"
        if kind.play == "accounts":
            self.observe(row)
        if kind.makes and kind.end_state == "ACTIVE":
            row.built = True
        if kind.end_state == "DELETED":
            row.source, row.health, row.built = None, "", False
        row.state = kind.end_state or row.state
        if op.kind in ("replica_promote", "replica_eject"):
            for key in op.instances[1:]:
                self.rows[key].source = self.provider.guests[key].follows

    def _fail(self, op: Op, row: Row) -> None:
        kind = op.table
        if kind.failed_state and (kind.makes or op.attempt):
            row.state = kind.failed_state
        if kind.makes:
            row.built, row.health = False, ""

    def _close_door(self, op: Op, source: str | None) -> None:
        """A source does not let in a guest that follows it no longer."""
        if op.kind == "replica_eject" and op.state == "succeeded":
            chosen = [key for key in op.instances[1:] if self.rows[key].source is None]
            self.to_open += chosen
        elif source and self.rows[source].built:
            left = op.kind in LEAVING and op.state == "succeeded"
            if left or (op.kind == "replica_create" and op.state != "succeeded"):
                self.to_open.append(source)

    def _settle_backups(self, op: Op) -> None:
        done = op.state == "succeeded"
        for key in op.backups:
            if op.kind == "backup_create" and key in self.backups:
                self.backups[key].status = "COMPLETED" if done else "FAILED"
            if op.kind == "backup_delete":
                if done:
                    self.forget_backup(key)
                elif op.attempt and self.backups[key].status != "FAILED":
                    self.backups[key].status = "DELETE_FAILED"

    def forget_backup(self, key: str) -> None:
        """It is deleted; what was made on it stands alone."""
        self.backups.pop(key, None)
        for row in self.backups.values():
            row.parent = None if row.parent == key else row.parent

    def observe(self, row: Row) -> None:
        """What the guest tells of its databases and users is known."""
        guest = self.provider.guests[row.id]
        row.databases, row.users = set(guest.databases), set(guest.users)

    def report(self, row: Row) -> None:
        """The guest has reported."""
        row.silent = False
        row.health = "HEALTHY" if self.provider.guests[row.id].running else "SHUTDOWN"
        self.observe(row)
