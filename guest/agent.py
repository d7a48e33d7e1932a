"""The watch loop: when to probe, when to report."""

from __future__ import annotations

import signal
import time

from guest import engine, log, memory, probe
from guest.backoff import REVOKED, Backoff
from guest.notify import notify
from guest.report import Reporter
from guest.transport import Conductor, RevokedError, SendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from guest.config import Config

TICK = 1.0
"""Seconds between two looks at the engine's process."""
UNWELL_INTERVAL = 2.0
"""Seconds between two probes while the engine is not healthy, so that recovery shows soon."""


class Agent:
    """Probes the engine and reports, one thing at a time."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._conductor = Conductor(config)
        self._reporter = Reporter(config)
        self._backoff = Backoff()
        self._engine: engine.Identity = None
        self._state = ""
        self._newest: dict[str, Any] | None = None
        self._probe_at = 0.0
        self._send_at = 0.0
        self._trouble = ""
        self._trim = memory.trimmer()

    def run(self) -> None:
        """Never returns. SIGHUP: probe and report now."""
        # Blocked and waited for: the signal is not lost while a probe runs.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
        while True:
            self.tick()
            notify("WATCHDOG=1")
            if signal.sigtimedwait({signal.SIGHUP}, TICK):
                self._probe_at = self._send_at = 0.0

    def tick(self) -> None:
        """One look: probe if it is time or the engine's process is another, send what is new."""
        seen = engine.identity(self._config.pidfile)
        now = time.monotonic()
        if seen != self._engine or now >= self._probe_at:
            self._engine = seen
            self._probe(now)
        if self._newest is not None and time.monotonic() >= self._send_at:
            self._send(self._newest)

    def _probe(self, now: float) -> None:
        observation = probe.run(self._config.probe, self._config.probe_timeout)
        self._newest = self._reporter.report(observation)
        healthy = observation["state"] == "HEALTHY"
        pause = self._config.interval if healthy else UNWELL_INTERVAL
        self._probe_at = now + min(pause, self._config.interval)
        if observation["state"] != self._state:
            self._state = observation["state"]
            log.info(f"engine: {self._state} {observation.get('message', '')}".rstrip())

    def _send(self, report: dict[str, Any]) -> None:
        try:
            self._conductor.send(report)
        except RevokedError as error:
            self._wait(REVOKED, error)
        except SendError as error:
            self._wait(self._backoff.failed(), error)
        else:
            self._sent()

    def _sent(self) -> None:
        self._newest = None
        self._backoff.reset()
        if self._trouble:
            log.info("reports arrive again")
        self._trouble = ""
        notify("READY=1", f"STATUS={self._state}, reported")
        self._trim()

    def _wait(self, seconds: float, error: SendError) -> None:
        self._send_at = time.monotonic() + seconds
        if str(error) != self._trouble:
            log.warning(f"report not delivered: {error}")
        self._trouble = str(error)
        notify(f"STATUS=report not delivered: {error}")
