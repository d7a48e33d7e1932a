"""gunicorn's worker for the conductor: `--worker-class api.conductor_server.ConductorWorker`."""

import asyncio
import gc
import ssl
import sys

from gunicorn.asgi.protocol import ASGIProtocol  # type: ignore[import-untyped]
from gunicorn.workers import gasgi  # type: ignore[import-untyped]


class Connection(ASGIProtocol):  # type: ignore[misc]
    """A guest's connection, which ends when its first request takes longer than it may be idle.

    gunicorn ends only those that are idle after a request.
    """

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """None beyond those that the worker may have."""
        super().connection_made(transport)
        if self.worker.nr_conns > self.worker.worker_connections:
            self._keepalive_timeout()
        else:
            self._arm_keepalive_timer()

    def _keepalive_timeout(self) -> None:
        """Ends it at once: who is silent may leave the goodbye of TLS unanswered too."""
        super()._keepalive_timeout()
        self.transport.abort()


SWITCH = 0.0005
"""Seconds for which one thread of the process keeps another one waiting: who writes the records
waits for its turn after every query, and with Python's own limit ten times as long."""


class ConductorWorker(gasgi.ASGIWorker):  # type: ignore[misc]
    """Many guests that keep their connections, and each say little."""

    def init_process(self) -> None:
        """As gunicorn's own, with the connections above."""
        gasgi.ASGIProtocol = Connection  # gunicorn has no setting for it
        # Thousands of connections are some hundred thousand objects: to look through all of them
        # stops everybody for half a second, and with Python's own limits happens every minute.
        gc.set_threshold(50_000, 20, 100)
        sys.setswitchinterval(SWITCH)
        super().init_process()

    def _get_ssl_context(self) -> ssl.SSLContext | None:
        context: ssl.SSLContext | None = super()._get_ssl_context()
        if context is not None:
            context.num_tickets = 0  # agents keep their connections and never resume one
        return context
