"""What happens around every request: an id, a connection to the records, the token."""

import logging
import re
import uuid
from typing import Any

import falcon
import peewee

from api.authentication import Authenticator
from api.endpoint import OPERATION_HEADER
from api.policy import Policy
from coffer.audit import answered, asked
from coffer.database import database

log = logging.getLogger(__name__)

PUBLIC = ("/", "/healthcheck", "/metrics", "/openapi.json", "/ca.pem", "/v1.0", "/v1.0/")


_REQUEST_ID = re.compile(r"req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What a client may call its request, so that one id leads from it to the guest."""


class RequestContext:
    """Gives the request its id (the client's own, if it has one), its base URL and its limits."""

    def __init__(self, public_url: str, maximum_body: int) -> None:
        self._public_url = public_url.rstrip("/")
        self._maximum_body = maximum_body

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Before routing."""
        given = req.get_header("X-OpenStack-Request-Id") or ""
        known = given if _REQUEST_ID.fullmatch(given) else None
        req.context.request_id = known or f"req-{uuid.uuid4()}"
        req.context.base_url = self._public_url or req.prefix
        req.context.maximum_body = self._maximum_body
        resp.set_header("X-OpenStack-Request-Id", req.context.request_id)

    async def process_request_async(self, req: Any, resp: Any) -> None:
        """The same in an ASGI app."""
        self.process_request(req, resp)


class DatabaseConnection:
    """Borrows a connection from the pool for the length of the request."""

    def process_request(self, _req: falcon.Request, _resp: falcon.Response) -> None:
        """Before routing."""
        database.connect(reuse_if_open=True)

    def process_response(
        self, _req: falcon.Request, _resp: falcon.Response, _resource: Any, _done: bool
    ) -> None:
        """After the answer is made, errors included."""
        if not database.is_closed():
            database.close()


class Authentication:
    """Lets only known tokens past the public documents."""

    def __init__(self, authenticator: Authenticator, policy: Policy) -> None:
        self._authenticator = authenticator
        self._policy = policy

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        """Before routing, so that an unknown route tells a stranger nothing."""
        if req.path not in PUBLIC:
            token = req.get_header("X-Auth-Token")
            req.context.identity = self._authenticator.identify(token)
            req.context.policy = self._policy


class Audit:
    """Records every change: before it is made, and how it was answered."""

    def process_resource(
        self, req: falcon.Request, _resp: falcon.Response, _resource: Any, _params: dict[str, Any]
    ) -> None:
        """After the token is known and the route found."""
        identity = getattr(req.context, "identity", None)
        if identity is not None and req.method not in ("GET", "HEAD", "OPTIONS"):
            address = " via ".join(req.access_route)  # the last one is who really connected
            req.context.audit = asked(
                identity, address, req.method, req.path, req.context.request_id
            )

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, _resource: Any, _done: bool
    ) -> None:
        """After the answer is made, errors included; while the connection is still there."""
        record = getattr(req.context, "audit", None)
        if record is not None:
            operation = resp.get_header(OPERATION_HEADER)
            try:
                answered(record, int(str(resp.status)[:3]), operation)
            except peewee.OperationalError:  # the change itself is made: its answer stands
                log.exception("%s: the answer is not in the audit", req.context.request_id)
