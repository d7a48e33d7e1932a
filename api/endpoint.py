"""The decorator of responders: who may, what comes in, what goes out.

It keeps a responder to its own few lines, and holds what the OpenAPI document says of it.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import falcon
import msgspec

from api.call import Call
from api.policy import holds
from api.raw_path import with_slashes
from coffer.errors import BadMediaType, BadRequest, Forbidden, OverLimit

Access = Literal["read", "write", "admin", "look", "patch"]
OPERATION_HEADER = "Coffer-Operation-Id"


@dataclass(frozen=True)
class Spec:
    """What is known of a responder without calling it."""

    summary: str
    access: Access
    body: Any
    returns: Any
    status: int
    query: tuple[str, ...]


def endpoint(
    summary: str,
    *,
    access: Access = "read",
    body: Any = None,
    returns: Any = None,
    status: int = 200,
    query: tuple[str, ...] = (),
) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """Wrap `method(self, call, [body,] **path) -> answer` as a Falcon responder.

    The answer is encoded as JSON; None leaves the body empty.
    """
    spec = Spec(summary, access, body, returns, status, query)

    def decorate(method: Callable[..., Any]) -> Callable[..., None]:
        @functools.wraps(method)
        def responder(
            self: Any, req: falcon.Request, resp: falcon.Response, project: str, **path: str
        ) -> None:
            call = make_call(req, resp, project)
            _authorize(call, req, spec.access)
            decoded = () if body is None else (decode(req, body),)
            meant = {key: with_slashes(value) for key, value in path.items()}
            answer = method(self, call, *decoded, **meant)
            _answer(resp, answer, spec.status)

        responder.spec = spec  # type: ignore[attr-defined]
        return responder

    return decorate


def make_call(req: falcon.Request, resp: falcon.Response, project: str) -> Call:
    """The request as responders see it.

    Raises:
        Forbidden: the path names another project than the token's.
    """
    identity = req.context.identity
    if identity.project_id != project:
        raise Forbidden(f"the token is not for project '{project}'")
    return Call(identity, project, req.context.request_id, req.context.base_url, req, resp)


def _authorize(call: Call, req: falcon.Request, access: Access) -> None:
    needed = req.context.policy.needed(req.method, req.uri_template, access)
    if not holds(call.identity.roles, needed):
        wanted = " or ".join(f"'{role}'" for role in needed)
        have = ", ".join(sorted(call.identity.roles)) or "none"
        raise Forbidden(f"this needs the role {wanted}; the token's are: {have}")


def _answer(resp: falcon.Response, answer: Any, status: int) -> None:
    resp.status = status
    if isinstance(answer, Started):
        resp.set_header(OPERATION_HEADER, answer.operation_id)
        answer = answer.body
    if answer is not None:
        resp.content_type = falcon.MEDIA_JSON
        resp.data = msgspec.json.encode(answer)


@dataclass(frozen=True)
class Started:
    """An answer that started an operation; its id goes into a header."""

    operation_id: str
    body: Any = None


def decode(req: falcon.Request, kind: Any) -> Any:
    """The request's JSON body as `kind`.

    Raises:
        BadRequest, BadMediaType, OverLimit: it is not; the message names the field.
    """
    return decode_json(read_body(req, req.context.maximum_body), req.content_type, kind)


def decode_json(data: bytes, media_type: str | None, kind: Any) -> Any:
    """The JSON of a body as `kind`.

    Raises:
        BadRequest, BadMediaType: it is not; the message names the field.
    """
    if media_type and not media_type.lower().startswith(falcon.MEDIA_JSON):
        raise BadMediaType(f"Content-Type: '{media_type}' is not application/json")
    try:
        return msgspec.json.decode(data or b"{}", type=kind)
    except msgspec.ValidationError as error:
        raise BadRequest(f"Validation error: {_sentence(error)}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from error


def read_body(req: falcon.Request, maximum: int) -> bytes:
    """The request's body.

    Raises:
        OverLimit: it is longer than `maximum` bytes; it is then left unread.
    """
    check_length(req.content_length or 0, maximum)
    data: bytes = req.bounded_stream.read(maximum + 1)
    check_length(len(data), maximum)
    return data


def check_length(length: int, maximum: int) -> None:
    """Let only a body pass that has at most so many bytes.

    Raises:
        OverLimit: it is longer.
    """
    if length > maximum:
        raise OverLimit(f"the body has more than {maximum} bytes")


def _sentence(error: msgspec.ValidationError) -> str:
    """`instance.name: Expected …`, of msgspec's `Expected … - at `$.instance.name``."""
    text, _, where = str(error).partition(" - at `$")
    field = where.rstrip("`").lstrip(".")
    return f"{field}: {text}" if field else text
