"""What can be wrong with a request, one class a case; the API turns each into its envelope.

The fault names and statuses are Trove's (its v1.0 API, error bodies).
"""

from typing import ClassVar


class CofferError(Exception):
    """An error meant for the caller; `str(error)` is a sentence that names the field."""

    status: ClassVar[int] = 500
    fault: ClassVar[str] = "instanceFault"


class BadRequest(CofferError):
    """A value is missing, malformed or not allowed."""

    status = 400
    fault = "badRequest"


class Unauthorized(CofferError):
    """No token, or one that opens nothing."""

    status = 401
    fault = "unauthorized"


class Forbidden(CofferError):
    """The token is good, its role or project is not enough."""

    status = 403
    fault = "forbidden"


class NotFound(CofferError):
    """No such thing in this project."""

    status = 404
    fault = "itemNotFound"


class Conflict(CofferError):
    """The other thing that is needed is not ready."""

    status = 409
    fault = "conflict"


class OverLimit(CofferError):
    """Larger than a quota or a maximum."""

    status = 413
    fault = "overLimit"


class BadMediaType(CofferError):
    """The body is not JSON by its Content-Type."""

    status = 415
    fault = "badMediaType"


class Unprocessable(CofferError):
    """The object is in a state that does not allow the action."""

    status = 422
    fault = "unprocessableEntity"


class Unavailable(CofferError):
    """Something that is needed to answer does not answer itself."""

    status = 503
    fault = "serviceUnavailable"


class NotSupported(CofferError):
    """This datastore or this version of Coffer does not do that."""

    status = 501
    fault = "notImplemented"


class LeaseLost(Exception):
    """Another worker, an abort or the sweeper has taken the operation from this one."""


class PlaybookDied(Exception):
    """ansible-playbook was killed by someone else than its worker."""
