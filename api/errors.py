"""Every error leaves as Trove's envelope: `{"<fault>": {"code": …, "message": …}}`."""

import logging
from collections.abc import Callable
from typing import Any

import falcon
import falcon.asgi
import msgspec
import peewee

from api.schemas.common import Fault
from coffer.errors import CofferError, Unauthorized

log = logging.getLogger(__name__)

_FAULTS = {400: "badRequest", 404: "itemNotFound", 413: "overLimit", 415: "badMediaType"}


def install(app: "falcon.App[Any, Any]", challenge: str) -> None:
    """Add the handlers to an app; `challenge` is what a 401 carries."""

    def refuse(
        _req: falcon.Request, resp: falcon.Response, error: CofferError, _params: dict[str, Any]
    ) -> None:
        _write(resp, error.status, error.fault, str(error))
        if isinstance(error, Unauthorized):
            resp.set_header("WWW-Authenticate", challenge)

    handlers: dict[type[Exception], Any] = {
        Exception: _crash,
        falcon.HTTPError: _http_error,
        peewee.OperationalError: _unavailable,
        CofferError: refuse,
    }
    for kind, handler in handlers.items():
        app.add_error_handler(
            kind, _awaited(handler) if isinstance(app, falcon.asgi.App) else handler
        )
    app.set_error_serializer(lambda _req, _resp, _error: None)


def _awaited(handler: Callable[..., None]) -> Any:
    async def handle(*given: Any, **_more: Any) -> None:
        handler(*given)

    return handle


def _http_error(
    req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError, _params: dict[str, Any]
) -> None:
    status = int(error.status[:3]) if isinstance(error.status, str) else int(error.status)
    if status == 405:  # Trove answers a known route with a wrong method like an unknown route
        status = 404
    message = f"there is no {req.method} {req.path}" if status == 404 else error.description
    _write(resp, status, _FAULTS.get(status, "badRequest"), message or error.title or "")


def _unavailable(
    req: falcon.Request, resp: falcon.Response, error: Exception, _params: dict[str, Any]
) -> None:
    log.error("%s %s: %s", req.method, req.path, error)
    resp.set_header("Retry-After", "5")
    _write(resp, 503, "serviceUnavailable", "the records are busy or away; try again")


def _crash(
    req: falcon.Request, resp: falcon.Response, error: Exception, _params: dict[str, Any]
) -> None:
    request_id = getattr(req.context, "request_id", "")
    log.error("%s %s %s", req.method, req.path, request_id, exc_info=error)
    _write(resp, 500, "instanceFault", f"internal error; the log has it under {request_id}")


def _write(resp: falcon.Response, status: int, fault: str, message: str) -> None:
    resp.status = status
    resp.content_type = falcon.MEDIA_JSON
    resp.data = msgspec.json.encode({fault: Fault(code=status, message=message)})
