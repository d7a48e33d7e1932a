"""Names with a slash in a path: WSGI servers decode `%2F`, and the route would be another one."""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote

SLASH = "\ue000"
"""Stands for a slash inside a segment: a character for private use, which no name may hold."""
App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def keep_encoded_slashes(app: App) -> App:
    """Wrap an app so that `%2F` stays inside its segment of the path."""

    def wrapped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        raw = environ.get("RAW_URI", "").split("?", 1)[0]
        if raw.startswith("/") and "%2f" in raw.lower():
            path = "/".join(unquote(part).replace("/", SLASH) for part in raw.split("/"))
            environ["PATH_INFO"] = path.encode().decode("latin-1")
        return app(environ, start_response)

    return wrapped


def with_slashes(segment: str) -> str:
    """A path parameter as it was meant."""
    return segment.replace(SLASH, "/")
