"""RQ's workers and scheduler for a Redis that may be away or emptied at any moment."""

import contextlib
from typing import Any

from redis import RedisError
from rq import SimpleWorker, Worker
from rq.cron import CronScheduler


class _Enduring:
    """Comes back soon, and registers again when Redis has forgotten it."""

    told_to_stop = False
    """Of the process: who runs it again when Redis comes back has to know."""
    max_connection_wait_time = 2.0
    connection: Any
    redis_workers_keys: str
    key: str
    register_birth: Any

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Tell that the worker is alive; RQ does this before each look at the queues."""
        if pipeline is None and not self.connection.sismember(self.redis_workers_keys, self.key):
            self.connection.delete(self.key)
            self.register_birth()
        super().heartbeat(timeout, pipeline)  # type: ignore[misc]

    def request_stop(self, signum: Any, frame: Any) -> None:
        """End after the running job, also when that cannot be told to Redis."""
        _Enduring.told_to_stop = True
        with contextlib.suppress(RedisError):
            super().request_stop(signum, frame)  # type: ignore[misc]


class EnduringWorker(_Enduring, Worker):
    """Runs each job in a process of its own."""


class EnduringSimpleWorker(_Enduring, SimpleWorker):
    """Runs jobs in its own process."""


class EnduringScheduler(CronScheduler):
    """Ends when it is told to, also when Redis, which it tells of its end, is away."""

    def _request_stop(self, signum: Any, frame: Any) -> None:
        _Enduring.told_to_stop = True
        super()._request_stop(signum, frame)  # type: ignore[no-untyped-call]
