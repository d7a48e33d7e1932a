"""gunicorn's settings for the conductor: `--config python:api.conductor_server`."""

import ssl
from collections.abc import Callable
from typing import Any

PATIENCE = 5.0
"""Seconds for which a thread waits for a guest's next bytes: eight that stall would silence all."""
_made: list[ssl.SSLContext] = []


class _Connection(ssl.SSLSocket):
    """A guest that stalls holds up no other one.

    gunicorn's threads would wait for it without end, from the handshake on, and its main loop would
    linger for two seconds with each connection that it closes.
    """

    def setblocking(self, flag: bool) -> None:
        self.settimeout(PATIENCE if flag else 0.0)

    def do_handshake(self, block: bool = False) -> None:
        self.setblocking(True)
        super().do_handshake(block)

    def shutdown(self, _how: int) -> None:
        self.close()


def ssl_context(_config: Any, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """The TLS context of a new connection: one for all connections of a process.

    gunicorn would make one for each, and read certificate and key every time. Each worker makes its
    own with its first connection, so a restart or a reload takes a renewed certificate.
    """
    if not _made:
        context = make()
        context.sslsocket_class = _Connection
        context.num_tickets = 0  # agents keep their connections and never resume one
        _made.append(context)
    return _made[0]
