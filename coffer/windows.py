"""Maintenance windows: what is set, and whether an instance's is open. All times are UTC."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from coffer.clock import utcnow
from coffer.database import transaction
from coffer.models import Instance, MaintenanceWindow

DEFAULT = ""
"""Target of a project's default."""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)


def put(
    project_id: str, instance: Instance | None, days: Sequence[str], start: str, minutes: int
) -> MaintenanceWindow:
    """Create or replace the window of an instance, or the project's default."""
    target = instance.id if instance else DEFAULT
    with transaction():
        row = _find(project_id, target)
        found = row or MaintenanceWindow(project_id=project_id, target=target)
        found.days = [day for day in DAYS if day in days]
        found.start, found.minutes, found.updated = start, minutes, utcnow()
        found.save(force_insert=row is None)
    return found


def of_instance(instance: Instance) -> MaintenanceWindow | None:
    """The instance's own, else its project's; None where it may be worked on at any time."""
    project = instance.project_id
    return _find(project, instance.id) or _find(project, DEFAULT)


def _find(project_id: str, target: str) -> MaintenanceWindow | None:
    row: MaintenanceWindow | None = MaintenanceWindow.get_or_none(
        MaintenanceWindow.project_id == project_id, MaintenanceWindow.target == target
    )
    return row


def opening(window: MaintenanceWindow, now: datetime) -> datetime:
    """When it opens next, or opened if it is open."""
    hour, minute = (int(part) for part in window.start.split(":"))
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    length = timedelta(minutes=window.minutes)
    first = midnight - length - _DAY  # one of before may still be open
    moments = (
        (first + _DAY * number).replace(hour=hour, minute=minute)
        for number in range(length.days + len(DAYS) + 3)
    )
    return next(
        moment
        for moment in moments
        if DAYS[moment.weekday()] in window.days and moment + length > now
    )


def is_open(window: MaintenanceWindow, now: datetime) -> bool:
    """Whether work may begin."""
    return opening(window, now) <= now
