"""The worker processes: `python -m worker.main work [QUEUE …] | sweep | cron`."""

import argparse
import logging
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from redis import Redis, RedisError
from rq import Queue
from rq.job import Job

from coffer.clock import utcnow
from coffer.database import database
from coffer.models import Operation
from coffer.operations import SWEEP_QUEUE, State
from coffer.operations import Queue as QueueName
from coffer.redis_urls import connect_redis
from coffer.settings import load_settings
from worker import cron, job, warmth
from worker.context import context
from worker.enduring import EnduringScheduler, EnduringSimpleWorker, EnduringWorker
from worker.sweeper import release

_RECONNECT_AFTER = 1.0


def work(redis: Redis, queues: Sequence[str]) -> None:
    """Run operations, each in a process of its own."""
    warm = warmth.start(Path(load_settings().run_directory))
    try:
        _work(redis, queues)
    finally:
        warm.kill()


def _work(redis: Redis, queues: Sequence[str]) -> None:
    job.__name__  # noqa: B018  imported before the fork: a job starts without imports
    EnduringWorker(
        [Queue(name, connection=redis) for name in queues],
        connection=redis,
        work_horse_killed_handler=_horse_killed,
    ).work(logging_level="WARNING")


def _horse_killed(dead: Job, _pid: int, _status: int, _usage: Any) -> None:
    """The process of a job was killed: queue its operation again at once."""
    collaborators = context()
    with database.connection_context():
        operation = Operation.get_or_none(Operation.id == dead.args[0])
        if operation is not None and operation.state == State.RUNNING:
            release(operation, utcnow(), collaborators)


def sweep(redis: Redis, _queues: Sequence[str]) -> None:
    """Run the sweeper's rounds."""
    queues = [Queue(SWEEP_QUEUE, connection=redis)]
    EnduringSimpleWorker(queues, connection=redis).work(logging_level="WARNING")


def schedule(redis: Redis, _queues: Sequence[str]) -> None:
    """Ask for the sweeper's rounds."""
    scheduler = EnduringScheduler(connection=redis, logging_level=logging.WARNING)
    scheduler.load_config_from_file(cron.__name__)
    scheduler.start()  # type: ignore[no-untyped-call]


_ROLES: dict[str, Callable[[Redis, Sequence[str]], None]] = {
    "work": work,
    "sweep": sweep,
    "cron": schedule,
}


def main() -> None:
    """Start one worker process; it outlives Redis being away."""
    parser = argparse.ArgumentParser(prog="coffer-worker", description=main.__doc__)
    parser.add_argument("role", choices=_ROLES)
    parser.add_argument("queues", nargs="*", default=[name.value for name in QueueName])
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    redis = connect_redis(load_settings().redis_url)
    while True:
        try:
            _ROLES[arguments.role](redis, arguments.queues)
            return
        except RedisError as error:
            if EnduringWorker.told_to_stop:
                return
            logging.warning("Redis is away: %s", error)
            for number in (signal.SIGINT, signal.SIGTERM):  # RQ's handlers have no worker now
                signal.signal(number, signal.SIG_DFL)
            time.sleep(_RECONNECT_AFTER)


if __name__ == "__main__":
    main()
