"""What happens around every request: an id, a connection to the records, the token."""

import uuid
from typing import Any

import falcon

from api.authentication import Authenticator
from coffer.database import database

PUBLIC = ("/", "/healthcheck", "/metrics", "/openapi.json", "/ca.pem", "/v1.0", "/v1.0/")


class RequestContext:
    """Gives the request its id, its base URL and its limits."""

    def __init__(self, public_url: str, maximum_body: int) -> None:
        self._public_url = public_url.rstrip("/")
        self._maximum_body = maximum_body

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Before routing."""
        req.context.request_id = f"req-{uuid.uuid4()}"
        req.context.base_url = self._public_url or req.prefix
        req.context.maximum_body = self._maximum_body
        resp.set_header("X-OpenStack-Request-Id", req.context.request_id)


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

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        """Before routing, so that an unknown route tells a stranger nothing."""
        if req.path not in PUBLIC:
            token = req.get_header("X-Auth-Token")
            req.context.identity = self._authenticator.identify(token)
