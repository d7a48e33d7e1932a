"""/backup_schedules: when backups are made by themselves. Coffer's own, in Trove's style."""

import msgspec

from api.call import Call
from api.endpoint import endpoint
from api.lookup import find_instance
from api.schemas import schedule as wire
from api.schemas.common import last_segment
from api.services import Services
from coffer import schedules
from coffer.clock import timestamp, timestamp_or_none, utcnow
from coffer.errors import NotFound
from coffer.models import Instance, Schedule
from coffer.timetables import NEVER, Timetable


class ScheduleCollection:
    """GET and POST /backup_schedules."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @endpoint("List schedules of backups", returns=wire.ScheduleList, query=("instance_id",))
    def on_get(self, call: Call) -> wire.ScheduleList:
        rows = Schedule.select().where(Schedule.project_id == call.project_id)
        if instance_id := call.parameter("instance_id"):
            rows = rows.where(Schedule.target == instance_id)
        return wire.ScheduleList(
            backup_schedules=[schedule_view(row) for row in rows.order_by(Schedule.target)]
        )

    @endpoint(
        "Create or replace a schedule of backups",
        access="write",
        body=wire.PutSchedule,
        returns=wire.ScheduleDocument,
    )
    def on_post(self, call: Call, body: wire.PutSchedule) -> wire.ScheduleDocument:
        given = body.backup_schedule
        instance = find_instance(call, last_segment(given.instance)) if given.instance else None
        row = schedules.put(
            instance.project_id if instance else call.project_id,
            instance,
            given.cron,
            None if given.keep is None else msgspec.to_builtins(given.keep),
            self._services.backups.check_method(instance, given.method),
        )
        return wire.ScheduleDocument(backup_schedule=schedule_view(row))


class ScheduleItem:
    """GET and DELETE /backup_schedules/{id}."""

    @endpoint("Show a schedule of backups", returns=wire.ScheduleDocument)
    def on_get(self, call: Call, schedule: str) -> wire.ScheduleDocument:
        return wire.ScheduleDocument(backup_schedule=schedule_view(find_schedule(call, schedule)))

    @endpoint("Remove a schedule; its backups stay", access="write", status=202)
    def on_delete(self, call: Call, schedule: str) -> None:
        schedules.remove(find_schedule(call, schedule))


def find_schedule(call: Call, schedule_id: str) -> Schedule:
    """A schedule that the caller may see.

    Raises:
        NotFound: there is none of that id in the project (in any project, for admins).
    """
    row = Schedule.get_or_none(Schedule.id == schedule_id)
    if row is None or not (call.identity.is_admin or row.project_id == call.project_id):
        raise NotFound(f"backup schedule '{schedule_id}' does not exist")
    found: Schedule = row
    return found


def schedule_view(row: Schedule) -> wire.Schedule:
    """A schedule, with its instance's times if it has one."""
    instance = Instance.get_or_none(Instance.id == row.target) if row.target else None
    runs = instance is not None and row.cron != NEVER
    following = Timetable(row.cron, utcnow()).following(row.target) if runs else None
    return wire.Schedule(
        id=row.id,
        project_id=row.project_id,
        instance_id=row.target or None,
        cron=row.cron,
        keep=row.keep,
        method=row.method,
        next_run=timestamp_or_none(following),
        last_run=timestamp_or_none(instance.scheduled if instance else None),
        created=timestamp(row.created),
        updated=timestamp(row.updated),
    )
