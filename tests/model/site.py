"""The whole service in one process: the API, the conductor, workers and the sweeper.

Only playbooks are not run: they do their work in the provider in memory.
"""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import falcon.testing
from redis import Redis
from rq import Queue
from rq.job import JobStatus

from api.app import create_app
from api.authentication import TokenAuthenticator
from api.conductor import create_conductor
from api.services import make_services
from coffer.clock import utcnow
from coffer.database import connect, database, migrate
from coffer.datastores import register
from coffer.models import Operation
from coffer.operations import Queue as Queues
from coffer.tokens import create_token
from tests.api.conftest import Api, settings_in
from tests.model.provider import Fate, Provider, WorkerDied
from worker import sweeper
from worker.context import make_context
from worker.job import work_on

AGE = 4
"""Seconds after which the sweeper takes a queued operation for one that Redis lost."""


class Site:
    """Makes a service with empty records again and again."""

    def __init__(self, redis: Redis, home: Path) -> None:
        socket = redis.connection_pool.connection_kwargs["path"]
        self._redis = redis
        self._records = home / "coffer.db"
        self._empty = home / "empty.db"
        self._settings = settings_in(home, socket)
        self._prepare()

    def _prepare(self) -> None:
        """What is the same each time: it takes longer than all that is done with it."""
        connect(f"sqlite:///{self._empty}")
        migrate()
        self._services = make_services(self._settings)
        with database.connection_context():
            register(self._services.catalogue, "mysql", None, "mysql-9.7")
            self._tokens = {role: create_token(role, "p1", [role]) for role in ("admin", "member")}
            database.obj.execute_sql("PRAGMA journal_mode = DELETE")
        database.obj.close_all()
        self._app = create_app(self._services, TokenAuthenticator())
        self._context = make_context(self._settings, self._redis)

    def fresh(self) -> "Service":
        """A service that has no instance yet."""
        self.close()
        shutil.copy(self._empty, self._records)
        for more in ("-wal", "-shm"):
            self._records.with_name(self._records.name + more).unlink(missing_ok=True)
        self._redis.flushall()
        connect(self._settings.database_url)
        api = Api(falcon.testing.TestClient(self._app), self._services, self._tokens)
        return Service(api, self._context, self._redis)

    @staticmethod
    def close() -> None:
        """Give the connections back."""
        database.obj.close_all()


class Service:
    """What runs, and the world that it runs in."""

    def __init__(self, api: Api, context: Any, redis: Redis) -> None:
        self.api = api
        self.provider = Provider()
        self._context = context
        self._redis = redis
        self._taken: Any = None
        conductor = create_conductor(api.services.reports)
        self._conductor = falcon.testing.TestClient(conductor)

    def jobs(self) -> list[str]:
        """Operations' ids in Redis, in the order of the queues."""
        return [job.args[0] for job in self._jobs()]

    def _jobs(self) -> Iterator[Any]:
        for name in Queues:
            yield from Queue(name, connection=self._redis).jobs

    def take_job(self, number: int) -> str | None:
        """The operation of a job that a worker takes; workers of all queues are equally quick.

        The job is forgotten when `work` is over, and never if its worker dies.
        """
        jobs = list(self._jobs())
        if not jobs:
            return None
        job = jobs[number % len(jobs)]
        Queue(job.origin, connection=self._redis).remove(job)
        job.set_status(JobStatus.STARTED)
        self._taken = job
        return str(job.args[0])

    def work(self, operation: str, fates: list[Fate]) -> None:
        """A worker is given the operation."""
        self.provider.fates = list(fates)
        with database.connection_context():
            try:
                work_on(operation, self._context, self.provider.play)
                if self._taken:
                    self._taken.delete()
            except WorkerDied:
                pass
        self.provider.fates, self._taken = [], None

    def sweep(self) -> None:
        """A minute without a worker passes, with the sweeper's rounds."""
        past = utcnow().replace(year=2020)
        with database.connection_context():
            Operation.update(lease_until=past).where(Operation.state == "running").execute()
            for step in sweeper.STEPS:
                if step is not sweeper.send_queued:
                    step(self._context, utcnow())
            sweeper.send_queued(self._context, utcnow().replace(year=2099))

    @staticmethod
    def be_late(operation: str) -> None:
        """The operation's deadline passes."""
        with database.connection_context():
            late = utcnow().replace(year=2020)
            Operation.update(deadline=late).where(Operation.id == operation).execute()

    def lose_jobs(self) -> None:
        """Redis starts empty."""
        self._redis.flushall()

    def report(self, instance: str) -> int:
        """The guest's agent reports; the conductor's answer."""
        guest = self.provider.guests[instance]
        report = {
            "protocol": 1,
            "instance_id": instance,
            "sequence": time.time_ns(),
            "state": "HEALTHY" if guest.running else "SHUTDOWN",
            **guest.lists,
        }
        headers = {"Authorization": f"Bearer {guest.token}"}
        sent = self._conductor.simulate_post("/conductor/v1/reports", json=report, headers=headers)
        return int(sent.status_code)

    def fall_silent(self) -> None:
        """No guest reports for so long that it counts."""
        with database.connection_context():
            reports = self._context.reports
            reports.mark_silent(10**9)
            late = dict.fromkeys(self.provider.guests, 1.0)
            if late:
                self._redis.zadd("coffer:guests:seen", late)
            reports.mark_silent(90)
