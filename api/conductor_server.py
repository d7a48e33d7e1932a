"""gunicorn's settings for the conductor: `--config python:api.conductor_server`."""

import errno
import ssl
import time
from collections.abc import Callable
from typing import Any

PATIENCE = 5.0
"""Seconds in which a request, and a handshake before it, has to arrive."""
_LEAST = 0.01
_made: list[ssl.SSLContext] = []


class Impatient(ssl.SSLSocket):
    """A guest's connection, which is closed when what it began to say does not come to an end.

    gunicorn waits for it without a limit, and has a few threads alone: a guest that says nothing
    would keep all others out. Its main loop would linger for two seconds with each connection that
    it closes.
    """

    _until = 0.0

    def settimeout(self, value: float | None) -> None:
        """None is what gunicorn sets before it reads a request."""
        if value is None:
            self._until = time.monotonic() + PATIENCE
        super().settimeout(PATIENCE if value is None else value)

    def setblocking(self, flag: bool) -> None:
        """As `settimeout`."""
        self.settimeout(None if flag else 0.0)

    def do_handshake(self, block: bool = False) -> None:
        """ConnectionResetError when it takes too long: gunicorn makes no word of that."""
        self._hurry()
        try:
            super().do_handshake(block)
        except TimeoutError as error:
            raise ConnectionResetError(errno.ECONNRESET, "no handshake") from error

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """ConnectionResetError when the request takes too long."""
        self._hurry()
        try:
            return super().recv(buflen, flags)
        except TimeoutError as error:
            raise ConnectionResetError(errno.ECONNRESET, "no request") from error

    def shutdown(self, _how: int) -> None:
        """Closed at once: see above."""
        self.close()

    def _hurry(self) -> None:
        """What comes by drops gets no more time."""
        if self.gettimeout():
            super().settimeout(max(self._until - time.monotonic(), _LEAST))


def ssl_context(_config: Any, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """The TLS context of a new connection: one for all connections of a process.

    gunicorn would make one for each, and read certificate and key every time. Each worker makes its
    own with its first connection, so a restart or a reload takes a renewed certificate.
    """
    if not _made:
        context = make()
        context.num_tickets = 0  # agents keep their connections and never resume one
        context.sslsocket_class = Impatient
        _made.append(context)
    return _made[0]
