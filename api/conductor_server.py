"""gunicorn's settings for the conductor: `--config python:api.conductor_server`."""

import ssl
from collections.abc import Callable
from typing import Any

_made: list[ssl.SSLContext] = []


def ssl_context(_config: Any, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """The TLS context of a new connection: one for all connections of a process.

    gunicorn would make one for each, and read certificate and key every time. Each worker makes its
    own with its first connection, so a restart or a reload takes a renewed certificate.
    """
    if not _made:
        context = make()
        context.num_tickets = 0  # agents keep their connections and never resume one
        _made.append(context)
    return _made[0]
