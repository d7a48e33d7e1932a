"""Hands operations to RQ. Redis only carries: what it loses, the sweeper sends again."""

import logging

from redis import Redis, RedisError
from rq import Queue, Worker
from rq.exceptions import InvalidJobOperation, NoSuchJobError
from rq.job import Job, JobStatus

from coffer.models import Operation
from coffer.operations import JOB, KINDS, SWEEP_QUEUE
from coffer.operations import Queue as QueueName

log = logging.getLogger(__name__)

_BACKSTOP = 600
"""Seconds past its deadline after which RQ itself kills a job that its own watch did not end."""
_ON_ITS_WAY = (JobStatus.QUEUED, JobStatus.STARTED, JobStatus.DEFERRED, JobStatus.SCHEDULED)


def unserved(redis: Redis) -> list[str]:
    """Queues that no worker serves.

    Raises:
        RedisError: Redis is away.
    """
    served = {name for worker in Worker.all(connection=redis) for name in worker.queue_names()}
    return sorted({*QueueName, SWEEP_QUEUE} - served)


class Dispatcher:
    """Sends operations to the queue of their kind."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def send(self, operation: Operation) -> bool:
        """Enqueue the operation's next attempt once; False when Redis is away."""
        kind = KINDS[operation.kind]
        try:
            if self._is_on_its_way(_job_id(operation)):
                return True
            Queue(kind.queue, connection=self._redis).enqueue(
                JOB,
                operation.id,
                job_id=_job_id(operation),
                job_timeout=kind.deadline + _BACKSTOP,
                result_ttl=0,
                failure_ttl=3600,
            )
        except RedisError as error:
            log.warning("operation %s waits for Redis: %s", operation.id, error)
            return False
        return True

    def waiting(self, queue: str) -> int:
        """How many jobs wait in a queue.

        Raises:
            RedisError: Redis is away.
        """
        return int(Queue(queue, connection=self._redis).count)

    def _is_on_its_way(self, job_id: str) -> bool:
        try:
            return Job.fetch(job_id, connection=self._redis).get_status() in _ON_ITS_WAY
        except (NoSuchJobError, InvalidJobOperation):  # it ended before or while we looked
            return False


class Outbox(Dispatcher):
    """Keeps operations until the transaction that wrote them is over."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []

    def send(self, operation: Operation) -> bool:
        """Keep it."""
        self.operations.append(operation)
        return True


def _job_id(operation: Operation) -> str:
    return f"{operation.id}-{operation.attempt + 1}"
