"""Logs of an instance (Trove v1.0), and what is in them.

Trove leaves the content in Swift. Here it is kept for a while beside the records, encrypted, for
the members of the project: a log may hold statements, and they may hold secrets.
"""

from api.call import Call
from api.endpoint import Started, endpoint
from api.lookup import find_instance
from api.resources.objects import CONTAINER, prefix_of
from api.schemas import log as wire
from api.services import Services
from coffer.errors import BadRequest
from coffer.logs import LogState
from coffer.models import Instance, Operation
from coffer.waiting import wait_for_end

WAIT = 20.0
"""Seconds: Trove answers when it is done."""
MOST = 1024 * 1024
"""Bytes of an answer."""


class _Resource:
    def __init__(self, services: Services) -> None:
        self._logs = services.logs


class LogCollection(_Resource):
    """GET and POST /instances/{id}/log."""

    @endpoint("Logs of an instance", returns=wire.LogList)
    def on_get(self, call: Call, instance: str) -> wire.LogList:
        row = find_instance(call, instance)
        return wire.LogList(logs=[_view(row, state) for state in self._logs.all(row)])

    @endpoint(
        "Show, switch, read or discard a log",
        access="write",
        body=wire.LogAction,
        returns=wire.LogDocument,
    )
    def on_post(
        self, call: Call, body: wire.LogAction, instance: str
    ) -> Started | wire.LogDocument:
        row = find_instance(call, instance)
        if body.enable and body.disable:
            raise BadRequest("disable: a log cannot be enabled and disabled at once")
        operation = self._act(call, row, body)
        fresh = find_instance(call, instance)
        shown = wire.LogDocument(log=_view(fresh, self._logs.one(fresh, body.name)))
        return shown if operation is None else Started(operation.id, shown)

    def _act(self, call: Call, row: Instance, body: wire.LogAction) -> Operation | None:
        operation = None
        if body.discard:
            self._logs.discard(row, body.name)
        off = body.publish and not self._logs.one(row, body.name).enabled
        if body.enable or body.disable or off:
            operation = self._logs.switch(row, body.name, not body.disable, call.caller)
            if operation is not None:
                operation = wait_for_end(operation, WAIT)
        if body.publish:
            operation = wait_for_end(self._logs.read(row, body.name, call.caller), WAIT)
        return operation


class LogLines(_Resource):
    """GET /instances/{id}/log/{log} (Coffer's own)."""

    @endpoint(
        "Lines that were read of a log, from `offset` on or else the last ones",
        access="write",
        returns=wire.LinesDocument,
        query=("offset", "limit"),
    )
    def on_get(self, call: Call, instance: str, log: str) -> wire.LinesDocument:
        row = find_instance(call, instance)
        given = call.parameter("offset")
        offset = None if given is None else call.number("offset", 0, 2**62)
        most = call.number("limit", MOST, MOST) or MOST
        found = self._logs.lines(row, log, offset, most)
        return wire.LinesDocument(
            log=wire.Lines(name=log, offset=found.start, next=found.end, content=found.text)
        )


def _view(instance: Instance, state: LogState) -> wire.Log:
    kept = state.end - state.start
    prefix = prefix_of(instance.id, state.log.name)
    status = "Published" if kept else "Enabled"
    return wire.Log(
        name=state.log.name,
        type="USER" if state.log.has_switch else "SYS",
        status=status if state.enabled else "Disabled",
        published=kept,
        pending=0,
        container=CONTAINER if kept else wire.NOWHERE,
        prefix=prefix if kept else wire.NOWHERE,
        metafile=f"{prefix}metafile" if kept else wire.NOWHERE,
        enabled=state.enabled,
        warning=state.log.warning,
    )
