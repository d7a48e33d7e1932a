"""What a responder needs to know of its request, apart from the body."""

from dataclasses import dataclass

import falcon

from api.schemas.common import Link
from coffer.callers import Caller
from coffer.errors import BadRequest
from coffer.tokens import Identity


@dataclass(frozen=True)
class Call:
    """One authenticated request of one project."""

    identity: Identity
    project_id: str
    request_id: str
    base_url: str
    """`scheme://host`, without a trailing slash; links are built on it."""
    request: falcon.Request
    response: falcon.Response

    @property
    def caller(self) -> Caller:
        """Who asks, for the record."""
        return Caller(self.project_id, self.identity.user, self.request_id)

    def set_header(self, name: str, value: str) -> None:
        """Add a header to the answer."""
        self.response.set_header(name, value)

    def parameter(self, name: str) -> str | None:
        """A query parameter, None when absent or empty."""
        value: str | None = self.request.get_param(name)
        return value or None

    def flag(self, name: str) -> bool:
        """A boolean query parameter; clients write `True` as well as `true`."""
        return (self.parameter(name) or "").lower() in ("true", "1", "yes")

    def number(self, name: str, default: int, maximum: int) -> int:
        """A whole query parameter of at least 0, cut to `maximum`.

        Raises:
            BadRequest: it is no such number.
        """
        text = self.parameter(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdigit():
            raise BadRequest(f"{name}: '{text}' is not a whole number of at least 0")
        return min(int(text[:12]), maximum)

    def links(self, collection: str, key: str) -> list[Link]:
        """The links that Trove puts on its objects."""
        return [
            Link(href=f"{self.base_url}/v1.0/{self.project_id}/{collection}/{key}", rel="self"),
            Link(href=f"{self.base_url}/{collection}/{key}", rel="bookmark"),
        ]
