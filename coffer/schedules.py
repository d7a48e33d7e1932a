"""Schedules: what is set, whose turn it is, and which backups have had their time."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from coffer.backup_ends import COMPLETED, DELETE_FAILED
from coffer.backups import Backups, BackupWish
from coffer.callers import Caller
from coffer.clock import utcnow
from coffer.database import transaction
from coffer.errors import CofferError
from coffer.models import Backup, Instance, Schedule
from coffer.timetables import KEPT, KEPT_OF_OTHERS, NEVER, Timetable, check_cron, kept

log = logging.getLogger(__name__)

USER = "schedule"
DEFAULT = ""
"""Target of a project's default."""


@dataclass(frozen=True)
class Turn:
    """An instance whose backup is due, and the moment of the schedule that it is due for."""

    instance_id: str
    schedule: Schedule
    slot: datetime


def put(
    project_id: str,
    instance: Instance | None,
    cron: str,
    keep: dict[str, int] | None,
    method: str | None,
    now: datetime | None = None,
) -> Schedule:
    """Create or replace the schedule of an instance, or the project's default.

    Raises:
        BadRequest: naming the field.
    """
    check_cron(cron)
    now = now or utcnow()
    rules = KEPT.get(cron, KEPT_OF_OTHERS) if keep is None else keep
    target = instance.id if instance else DEFAULT
    with transaction():
        row = Schedule.get_or_none(Schedule.project_id == project_id, Schedule.target == target)
        found = row or Schedule(project_id=project_id, target=target, cron=cron, created=now)
        if row is None or row.cron != cron:
            found.since = now
        found.cron, found.keep, found.method, found.updated = cron, rules, method, now
        found.save(force_insert=row is None)
        _weigh_again(found)
    return found


def remove(schedule: Schedule) -> None:
    """Take a schedule away; its backups stay."""
    schedule.delete_instance()


def _weigh_again(schedule: Schedule) -> None:
    mine = Backup.project_id == schedule.project_id
    if schedule.target:
        mine &= Backup.instance == schedule.target
    Backup.update(weighed=False).where(mine, Backup.scheduled).execute()


def schedules() -> dict[tuple[str, str], Schedule]:
    """All schedules by project and target."""
    return {(row.project_id, row.target): row for row in Schedule.select()}


def of_instance(
    known: dict[tuple[str, str], Schedule], project_id: str, instance_id: str
) -> Schedule | None:
    """The instance's own, else its project's; None where none is, or it is `never`."""
    found = known.get((project_id, instance_id)) or known.get((project_id, DEFAULT))
    return None if found is None or found.cron == NEVER else found


def due(now: datetime) -> Iterator[Turn]:
    """Instances whose turn it is: of what was missed only the last moment counts."""
    known = schedules()
    if not known:
        return
    tables: dict[str, Timetable] = {}
    columns = (Instance.project_id, Instance.id, Instance.created, Instance.scheduled)
    rows: Any = Instance.select(*columns).where(
        Instance.deleted.is_null(),
        Instance.state == "ACTIVE",
        Instance.task.is_null(),
        Instance.project_id.in_({project for project, _ in known}),
    )
    for project_id, instance_id, created, scheduled in rows.tuples():
        schedule = of_instance(known, project_id, instance_id)
        if schedule is None:
            continue
        table = tables.setdefault(schedule.cron, Timetable(schedule.cron, now))
        slot, begins = table.latest(instance_id)
        if begins > max(schedule.since, created) and (scheduled is None or slot > scheduled):
            yield Turn(instance_id, schedule, slot)


class Rounds:
    """What the sweeper does of schedules in each of its rounds."""

    def __init__(self, backups: Backups) -> None:
        self._backups = backups

    def begin_due(self, now: datetime) -> None:
        """Begin the backups whose turn it is; one that cannot begin is tried in the next round."""
        for turn in list(due(now)):
            try:
                self._begin(turn)
            except CofferError as error:
                log.info("schedule: %s", error)

    def _begin(self, turn: Turn) -> None:
        instance = Instance.get_by_id(turn.instance_id)
        wish = BackupWish(
            name=f"{instance.name[:230]}-{turn.slot:%Y-%m-%dT%H:%MZ}",
            description="made by the schedule",
            method=self._backups.method_or_none(instance, turn.schedule.method),
            slot=turn.slot,
        )
        self._backups.create(instance, wish, Caller(instance.project_id, USER, ""))

    def retire(self) -> None:
        """Delete what the rules keep no longer, wherever a new backup has come."""
        fresh = Backup.scheduled, ~Backup.weighed, Backup.status == COMPLETED
        rows: Any = Backup.select(Backup.instance_id).where(*fresh).distinct().tuples()
        known = schedules()
        for (instance_id,) in list(rows):
            instance = Instance.get_by_id(instance_id)
            schedule = of_instance(known, instance.project_id, instance_id)
            try:
                if schedule is not None and instance.deleted is None:
                    self._retire(instance, schedule)
            except CofferError as error:  # its repository is being read: in the next round
                log.info("schedule: %s", error)
                continue
            Backup.update(weighed=True).where(Backup.instance == instance_id).execute()

    def _retire(self, instance: Instance, schedule: Schedule) -> None:
        mine = Backup.select().where(
            Backup.instance == instance,
            Backup.scheduled,
            Backup.status.in_((COMPLETED, DELETE_FAILED)),
        )
        rows = list(mine.order_by(Backup.created.desc()))
        staying = kept(rows, schedule.keep, lambda row: row.created)
        staying += [row for row in rows if row.verified][:1]
        ids = {row.id for row in staying}
        gone = [row for row in rows if row.id not in ids and not _has_children(row)]
        if gone:
            self._backups.retire(gone, Caller(instance.project_id, USER, ""))


def _has_children(backup: Backup) -> bool:
    return bool(Backup.select().where(Backup.parent == backup).exists())
