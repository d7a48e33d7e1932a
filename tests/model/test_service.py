"""The service beside a small model of it, under random requests, deaths and losses."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from redis import Redis

from tests.model.provider import Fate
from tests.model.requests import SOME, Requests
from tests.model.rows import ACTIVE, GONE, RETRYABLE, Op, Row
from tests.model.site import Site

TIMES = int(os.environ.get("COFFER_FUZZ", "1"))
"""Multiplies the sequences that are tried; with more than one they differ each time."""
SEQUENCES = 12
STEPS = 40
FATES = st.lists(st.sampled_from(Fate), max_size=2)
ROUNDS = 60
"""Of workers and the sweeper, after which all must have ended."""


class Machine(Requests):
    """Requests, workers, deaths; after each step what is shown is what the model says."""

    @initialize(number=st.integers(0, 3))
    def begin_with(self, number: int) -> None:
        """Instances that run."""
        for _ in range(number):
            self.create("small", 1, None)
        while operation := self.service.take_job(0):
            self._work(self.model.ops[operation], [])
        self.report()

    # operations and quotas

    def _op(self, which: int, states: tuple[str, ...]) -> Op | None:
        found = [op for op in self.model.ops.values() if op.state in states]
        return found[which % len(found)] if found else None

    @rule(which=SOME)
    def abort(self, which: int) -> None:
        if op := self._op(which, ACTIVE):
            self._ask("POST", f"/operations/{op.id}/action", {"abort": {}}, role="member")
            self._abort(op)

    @rule(which=SOME)
    def abort_what_ended(self, which: int) -> None:
        if op := self._op(which, (*RETRYABLE, "succeeded")):
            self._ask("POST", f"/operations/{op.id}/action", {"abort": {}}, {422})

    @rule(which=SOME)
    def retry(self, which: int) -> None:
        if op := self._op(which, (*RETRYABLE, "succeeded")):
            refused = self.model.retry_refused(op)
            path = f"/operations/{op.id}/action"
            if self._ask("POST", path, {"retry": {}}, refused, "member") is not None:
                self.model.retry(op)

    @rule(
        name=st.sampled_from(["instances", "ram", "volumes", "backups"]),
        limit=st.sampled_from([-1, 0, 1, 2, 4, 2048]),
    )
    def limit(self, name: str, limit: int) -> None:
        self._ask("PUT", "/mgmt/quotas/p1", {"quotas": {name: limit}})
        self.model.limits[name] = limit

    # workers, guests, time

    @rule(which=SOME, fates=FATES)
    def work(self, which: int, fates: list[Fate]) -> None:
        """A worker takes a job."""
        if operation := self.service.take_job(which):
            self._work(self.model.ops[operation], fates)

    @rule(which=SOME, fates=FATES)
    def work_uncalled(self, which: int, fates: list[Fate]) -> None:
        """A worker is given an operation for the second time, or too late."""
        if op := self._op(which, (*ACTIVE, *RETRYABLE, "succeeded")):
            self._work(op, fates)

    def _work(self, op: Op, fates: list[Fate]) -> None:
        self.model.work(op, fates, lambda: self.service.work(op.id, fates))

    @rule()
    def sweep(self) -> None:
        self.service.sweep()
        self.model.sweep()
        self._adopt()
        able = [op.id for op in self.model.ops.values() if self.model.may_run(op)]
        assert set(able) <= set(self.service.jobs()), "what can be done is given to workers"

    @rule()
    def lose_jobs(self) -> None:
        self.service.lose_jobs()
        for row in self.model.living():
            row.silent = False  # nobody remembers since when

    @rule(which=SOME)
    def be_late(self, which: int) -> None:
        if op := self._op(which, ("queued",)):
            self.service.be_late(op.id)
            op.late = True

    @rule()
    def report(self) -> None:
        for key in self.service.provider.guests:
            row = self.model.rows[key]
            taken = self.service.report(key)
            if row.state != GONE and taken == 204:
                self.model.report(row)

    @rule()
    def fall_silent(self) -> None:
        self.service.fall_silent()
        self.model.fall_silent()

    # what must be true

    @invariant()
    def all_is_as_the_model_says(self) -> None:
        self.operations_are_as_the_model_says()
        self.instances_are_as_the_model_says()
        self.quotas_are_as_the_model_says()
        self.backups_are_as_the_model_says()
        self.what_is_promised_is_there()

    def _adopt(self) -> None:
        """What Coffer begins by itself: engines are closed to guests that left."""
        for row in reversed(self._operations()):
            if row["id"] not in self.model.ops and "part_of" not in row:
                assert row["kind"] == "access_update", row
                self.model.to_open.remove(row["instance_id"])
                self.model.begin(row["id"], row["kind"], row["instance_id"])
        assert not self.model.to_open

    def _operations(self) -> Any:
        return self._ask("GET", "/operations?limit=1000").json["operations"]

    def operations_are_as_the_model_says(self) -> None:
        self._adopt()
        for row in self._operations():
            op = self.model.ops[row.get("part_of", row["id"])]
            if "part_of" not in row:
                assert (row["state"], row["attempt"]) == (op.state, op.attempt), row
            else:
                assert (row["state"] in ACTIVE) == op.active, row

    def instances_are_as_the_model_says(self) -> None:
        shown = self._ask("GET", "/instances/detail?limit=1000").json["instances"]
        assert {row["id"]: self._seen(row) for row in shown} == {
            row.id: self._due(row) for row in self.model.living()
        }

    @staticmethod
    def _seen(shown: Any) -> Any:
        source = shown.get("replica_of", {}).get("id")
        group = shown.get("configuration", {}).get("id")
        return shown["status"], shown["flavor"]["id"], shown["volume"]["size"], source, group

    def _due(self, row: Row) -> Any:
        return self.model.status(row), row.flavor, row.volume, row.source, row.group

    def quotas_are_as_the_model_says(self) -> None:
        rows = self._ask("GET", "/mgmt/quotas/p1").json["quotas"]
        shown = {row["resource"]: row["in_use"] + row["reserved"] for row in rows}
        assert shown == self.model.usage()

    def backups_are_as_the_model_says(self) -> None:
        rows = self._ask("GET", "/backups?limit=1000").json["backups"]
        assert {row["id"]: row["status"] for row in rows} == {
            row.id: self.model.backup_status(row) for row in self.model.backups.values()
        }

    def what_is_promised_is_there(self) -> None:
        for row in self.model.living():
            guest = self.service.provider.guests.get(row.id)
            if row.state == "ACTIVE" and self.model.task(row) != "SHUTDOWN":
                assert guest is not None
                assert guest.volume_size >= row.volume
        snapshots = self.service.provider.snapshots
        for backup in self.model.backups.values():
            if self.model.backup_status(backup) == "COMPLETED":
                assert snapshots[backup.instance]

    def teardown(self) -> None:
        """Without further deaths all ends, and nothing is left that nobody knows."""
        for _ in range(ROUNDS):
            while operation := self.service.take_job(0):
                self._work(self.model.ops[operation], [])
                self._adopt()
            self.sweep()
            if not any(op.active for op in self.model.ops.values()):
                break
        left = [op for op in self.model.ops.values() if op.active]
        assert not left, left
        self.all_is_as_the_model_says()
        for key in self.service.provider.guests:
            assert self.model.rows[key].state != GONE, "a guest without its row"


@pytest.fixture
def site(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Requests do not wait for their operations: nobody would work on them meanwhile."""
    monkeypatch.setattr("api.changes.ATTACH_WAIT", 0.0)
    monkeypatch.setattr("api.resources.management.STOP_WAIT", 0.0)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as home:  # nothing of it need last
        made = Site(redis, Path(home))
        yield made
        made.close()


def test_the_service_is_as_its_model_says(site: Site) -> None:
    Machine.site = site
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=SEQUENCES * TIMES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=TIMES == 1,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),  # to make a failure shorter takes minutes
            report_multiple_bugs=False,
        ),
    )
