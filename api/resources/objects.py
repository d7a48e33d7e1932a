"""What was read of logs, as python-troveclient reads it: in the way of Swift.

`openstack database log tail` and `save` ask the catalogue's object store themselves. In a cloud
without Swift its entry can be `…/v1.0/PROJECT/objects` of this service.
"""

from api.call import Call
from api.endpoint import endpoint
from api.lookup import find_instance
from api.schemas import log as wire
from api.services import Services
from coffer.clock import precise_timestamp
from coffer.errors import NotFound
from coffer.models import LogPiece

CONTAINER = "database_logs"
_ID, _START = 36, 20
"""Characters of an instance's id, and of the digits of an offset."""


def prefix_of(instance_id: str, log: str) -> str:
    """What the names of all objects of a log begin with."""
    return f"{instance_id}_{log}_"


class _Resource:
    def __init__(self, services: Services) -> None:
        self._logs = services.logs

    def _pieces(self, call: Call, container: str, prefix: str) -> list[LogPiece]:
        """The pieces of a log, the oldest first.

        Raises:
            NotFound: there is no such log that the caller may see.
        """
        if container != CONTAINER or len(prefix) <= _ID + 2:
            raise NotFound(f"container '{container}' has nothing at '{prefix}'")
        instance = find_instance(call, prefix[:_ID])
        return self._logs.pieces(instance, prefix[_ID + 1 : -1])


class LogContainer(_Resource):
    """GET /objects/{container}."""

    @endpoint(
        "What was read of a log, as a container of Swift",
        access="write",
        returns=list[wire.LogObject],
        query=("prefix", "format"),
    )
    def on_get(self, call: Call, container: str) -> list[wire.LogObject]:
        prefix = call.parameter("prefix") or ""
        return [
            wire.LogObject(
                name=f"{prefix}{piece.start:0{_START}d}",
                bytes=piece.end - piece.start,
                last_modified=precise_timestamp(piece.at).rstrip("Z"),
            )
            for piece in self._pieces(call, container, prefix)
        ]


class LogObject(_Resource):
    """GET and HEAD /objects/{container}/{object}."""

    @endpoint("A piece of a log, as an object of Swift", access="write")
    def on_get(self, call: Call, container: str, object: str) -> None:
        start = object[-_START:]
        pieces = self._pieces(call, container, object[:-_START])
        found = [piece for piece in pieces if f"{piece.start:0{_START}d}" == start]
        if not found:
            raise NotFound(f"container '{container}' has nothing at '{object}'")
        call.set_header("X-Object-Meta-Lines", str(found[0].lines))
        call.response.content_type = "text/plain; charset=utf-8"
        call.response.data = self._logs.text(found[0]).encode()

    on_head = on_get
