"""/maintenance_windows: when instances may be worked on. Coffer's own, in Trove's style."""

from api.call import Call
from api.endpoint import endpoint
from api.lookup import find_instance
from api.schemas import window as wire
from api.schemas.common import last_segment
from coffer import windows
from coffer.clock import timestamp, utcnow
from coffer.errors import NotFound
from coffer.models import MaintenanceWindow


class WindowCollection:
    """GET and POST /maintenance_windows."""

    @endpoint("List maintenance windows", returns=wire.WindowList)
    def on_get(self, call: Call) -> wire.WindowList:
        mine = MaintenanceWindow.project_id == call.project_id
        rows = MaintenanceWindow.select().where(mine).order_by(MaintenanceWindow.target)
        return wire.WindowList(maintenance_windows=[window_view(row) for row in rows])

    @endpoint(
        "Create or replace a maintenance window",
        access="write",
        body=wire.PutWindow,
        returns=wire.WindowDocument,
    )
    def on_post(self, call: Call, body: wire.PutWindow) -> wire.WindowDocument:
        given = body.maintenance_window
        instance = find_instance(call, last_segment(given.instance)) if given.instance else None
        project = instance.project_id if instance else call.project_id
        row = windows.put(project, instance, given.days, given.start, given.minutes)
        return wire.WindowDocument(maintenance_window=window_view(row))


class WindowItem:
    """GET and DELETE /maintenance_windows/{id}."""

    @endpoint("Show a maintenance window", returns=wire.WindowDocument)
    def on_get(self, call: Call, window: str) -> wire.WindowDocument:
        return wire.WindowDocument(maintenance_window=window_view(find_window(call, window)))

    @endpoint("Remove a maintenance window", access="write", status=202)
    def on_delete(self, call: Call, window: str) -> None:
        find_window(call, window).delete_instance()


def find_window(call: Call, window_id: str) -> MaintenanceWindow:
    """A window that the caller may see.

    Raises:
        NotFound: there is none of that id in the project (in any project, for admins).
    """
    row = MaintenanceWindow.get_or_none(MaintenanceWindow.id == window_id)
    if row is None or not (call.identity.is_admin or row.project_id == call.project_id):
        raise NotFound(f"maintenance window '{window_id}' does not exist")
    found: MaintenanceWindow = row
    return found


def window_view(row: MaintenanceWindow) -> wire.Window:
    """A window as it stands now."""
    now = utcnow()
    opens = windows.opening(row, now)
    return wire.Window(
        id=row.id,
        project_id=row.project_id,
        instance_id=row.target or None,
        days=row.days,
        start=row.start,
        minutes=row.minutes,
        open=opens <= now,
        opens=timestamp(opens),
        created=timestamp(row.created),
        updated=timestamp(row.updated),
    )
