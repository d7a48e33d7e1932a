"""/audit: every change that was asked for."""

from typing import Any

from api.call import Call
from api.endpoint import endpoint
from api.paging import cut, next_links
from api.schemas import audit as wire
from api.services import Services
from coffer.audit import records
from coffer.clock import timestamp

QUERY = ("all_projects", "user", "request_id", "operation_id", "limit", "marker")
COLUMNS = "id user project_id roles address method path request_id status operation_id".split()


class AuditCollection:
    """GET /audit."""

    def __init__(self, services: Services) -> None:
        self._settings = services.settings

    @endpoint("The audit, newest first", access="admin", returns=wire.AuditList, query=QUERY)
    def on_get(self, call: Call) -> wire.AuditList:
        page = self._settings.page_size
        limit = call.number("limit", page, self._settings.maximum_page_size) or page
        offset = call.number("marker", 0, 1_000_000_000)
        wanted = {name: call.parameter(name) for name in ("user", "request_id", "operation_id")}
        project = None if call.flag("all_projects") else call.project_id
        found = records(project, **wanted).offset(offset).limit(limit + 1)
        rows, more = cut(list(found), limit)
        links = next_links(call, "audit", str(offset + limit) if more else None)
        return wire.AuditList(audit=[_view(row) for row in rows], **links)


def _view(row: Any) -> wire.AuditRecord:
    known = {name: getattr(row, name) for name in COLUMNS}
    return wire.AuditRecord(**known, at=timestamp(row.at), outcome=_outcome(row))


def _outcome(row: Any) -> str:
    if row.state:
        return str(row.state)
    if row.status is None:
        return "unknown"
    return "refused" if row.status >= 400 else "done"
