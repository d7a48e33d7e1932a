"""The conductor: the only door for guests. It takes reports and tells nothing."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import falcon
import falcon.asgi
import msgspec
import peewee
from msgspec import Meta

from api import errors
from api.batches import Batches
from api.endpoint import check_length, decode_json
from api.middleware import RequestContext
from coffer.database import database
from coffer.errors import Unauthorized
from coffer.reports import Reports

MAXIMUM_REPORT = 1024 * 1024
"""Bytes: ten thousand users and databases fit."""
States = Literal["HEALTHY", "SHUTDOWN", "FAILED", "BLOCKED", "CRASHED", "RESTART_REQUIRED"]
Count = Annotated[int, Meta(ge=0, le=2**62)]


class Logs(msgspec.Struct):
    """Which logs of the engine have left the guest, in unix seconds."""

    chain: Annotated[str, Meta(min_length=1, max_length=32)]
    since: Annotated[float, Meta(ge=0, le=2**40)]
    until: Annotated[float, Meta(ge=0, le=2**40)]


class Replication(msgspec.Struct):
    """How far a replica is behind its source, in seconds; null while it does not follow."""

    lag: Annotated[float, Meta(ge=0, le=2**40)] | None = None
    message: Annotated[str, Meta(max_length=4096)] = ""


class Report(msgspec.Struct, omit_defaults=True):
    """A guest's report, protocol 1; unknown keys of newer agents are ignored."""

    protocol: Annotated[int, Meta(ge=1)]
    instance_id: Annotated[str, Meta(max_length=36)]
    sequence: Count
    state: States
    at: float = 0
    agent_version: Annotated[str, Meta(max_length=64)] | None = None
    version: Annotated[str, Meta(max_length=255)] | None = None
    uptime: float | None = None
    volume: dict[str, Count] | None = None
    connections: Count | None = None
    databases: list[dict[str, Any]] | None = None
    users: list[dict[str, Any]] | None = None
    pending_packages: Count | None = None
    diagnostics: dict[str, Count] | None = None
    message: Annotated[str, Meta(max_length=4096)] | None = None
    logs: Logs | None = None
    replication: Replication | None = None


class ReportCollection:
    """POST /conductor/v1/reports."""

    def __init__(self, reports: Reports) -> None:
        self._reports = reports
        self._batches = Batches(self._accept, (peewee.OperationalError, peewee.InterfaceError))

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """204 taken, 401 for a token that opens nothing, 400 for a malformed report."""
        scheme, _, token = (req.auth or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized("the header Authorization: Bearer … is missing")
        body = await _read(req, MAXIMUM_REPORT)
        report = decode_json(body, req.content_type, Report)
        if not await self._batches.add((token, msgspec.to_builtins(report))):
            raise Unauthorized("the token opens no such instance")
        resp.status = 204

    def _accept(self, batch: Sequence[tuple[str, dict[str, Any]]]) -> list[bool]:
        with database.connection_context():
            return self._reports.accept_all(batch)


async def _read(req: falcon.asgi.Request, maximum: int) -> bytes:
    check_length(req.content_length or 0, maximum)
    data: bytes = await req.stream.read(maximum + 1)
    check_length(len(data), maximum)
    return data


def create_conductor(reports: Reports) -> "falcon.asgi.App[Any, Any]":
    """The ASGI app of the conductor endpoint."""
    app = falcon.asgi.App(middleware=[RequestContext("", MAXIMUM_REPORT)])
    errors.install(app, "Bearer")
    app.add_route("/conductor/v1/reports", ReportCollection(reports))
    return app
