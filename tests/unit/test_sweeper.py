"""The sweeper: dead workers, lost queues, passed deadlines, silent guests. With a real Redis."""

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.fernet import Fernet
from redis import Redis
from rq import Queue

from coffer import audit
from coffer.clock import utcnow
from coffer.database import transaction
from coffer.errors import Unprocessable
from coffer.lifecycle import abort, begin, lease
from coffer.models import AuditRecord, Instance, Operation
from coffer.operations import KINDS, State
from coffer.operator_runs import finish
from coffer.reports import Reports
from coffer.settings import Settings
from coffer.tokens import Identity
from worker import sweeper
from worker.context import Context, make_context

LATER = timedelta(minutes=2)


@pytest.fixture
def context(redis: Redis, tmp_path: Path) -> Context:
    key_file = tmp_path / "fernet.keys"
    key_file.write_text(Fernet.generate_key().decode())
    return make_context(Settings(run_directory=str(tmp_path), key_file=str(key_file)), redis)


def start(instance: Instance, kind: str = "instance_restart") -> Operation:
    with transaction():
        return begin(KINDS[kind], Instance.get_by_id(instance.id), user="u", request_id="r")


def fresh(row: Any) -> Any:
    return type(row).get_by_id(row.id)


def jobs(redis: Redis, queue: str) -> list[str]:
    return [job.args[0] for job in Queue(queue, connection=redis).jobs]


def test_a_dead_workers_operation_is_queued_again_and_sent(
    instance: Instance, context: Context, redis: Redis
) -> None:
    operation = start(instance)
    lease(operation.id, "a")
    sweeper.end_dead_leases(context, utcnow())
    assert fresh(operation).state == State.RUNNING, "the lease still holds"
    sweeper.end_dead_leases(context, utcnow() + LATER)
    assert fresh(operation).state == State.QUEUED
    assert jobs(redis, "fast") == [operation.id]
    again = lease(operation.id, "b")
    assert again is not None
    assert again.attempt == 2


def test_a_worker_that_always_dies_ends_the_operation(instance: Instance, context: Context) -> None:
    operation = start(instance)
    for _ in range(KINDS["instance_restart"].attempts):
        assert lease(operation.id, "a") is not None
        sweeper.end_dead_leases(context, utcnow() + LATER)
    row = fresh(operation)
    assert row.state == State.FAILED
    assert "died 3 times" in row.reason
    assert fresh(instance).task is None


def test_what_can_be_undone_is_undone_when_workers_always_die(
    instance: Instance, context: Context
) -> None:
    operation = start(instance, "instance_create")
    for _ in range(KINDS["instance_create"].attempts):
        assert lease(operation.id, "a") is not None
        sweeper.end_dead_leases(context, utcnow() + LATER)
    row = fresh(operation)
    assert (row.state, row.phase, row.outcome) == (State.QUEUED, "undo", "failed")


def test_what_redis_lost_is_sent_again_once(
    instance: Instance, context: Context, redis: Redis
) -> None:
    operation = start(instance)
    assert jobs(redis, "fast") == []
    for _ in range(3):
        sweeper.send_queued(context, utcnow() + LATER)
    assert jobs(redis, "fast") == [operation.id]
    redis.flushall()
    sweeper.send_queued(context, utcnow() + LATER)
    assert jobs(redis, "fast") == [operation.id]


def test_a_job_that_ends_while_it_is_looked_at_is_sent_again(
    instance: Instance, context: Context, redis: Redis
) -> None:
    operation = start(instance)
    assert context.dispatcher.send(operation)
    job = Queue("fast", connection=redis).jobs[0]
    Queue("fast", connection=redis).remove(job)
    redis.hdel(job.key, "status")  # as between the two looks of RQ
    assert context.dispatcher.send(operation)
    assert jobs(redis, "fast") == [operation.id]


def test_what_waits_for_another_operation_is_not_sent(
    instance: Instance, context: Context, redis: Redis
) -> None:
    first = start(instance)
    start(instance, "instance_delete")
    sweeper.send_queued(context, utcnow() + LATER)
    assert jobs(redis, "fast") == [first.id]
    assert jobs(redis, "work") == []


def test_a_late_operation_expires(instance: Instance, context: Context) -> None:
    operation = start(instance)
    sweeper.end_late_queued(context, utcnow())
    assert fresh(operation).state == State.QUEUED
    sweeper.end_late_queued(context, utcnow() + timedelta(days=1))
    assert fresh(operation).state == State.EXPIRED
    assert fresh(instance).task is None


def test_a_late_operation_that_ran_before_is_undone(instance: Instance, context: Context) -> None:
    operation = start(instance, "instance_create")
    lease(operation.id, "a")
    sweeper.end_dead_leases(context, utcnow() + LATER)
    sweeper.end_late_queued(context, utcnow() + timedelta(days=1))
    row = fresh(operation)
    assert (row.state, row.phase, row.outcome) == (State.QUEUED, "undo", "expired")


def by_hand(instance: Instance, kind: str) -> Operation:
    """A playbook that an operator runs, which is never heard of again."""
    with transaction():
        queued = begin(
            KINDS[kind],
            Instance.get_by_id(instance.id),
            user="u",
            request_id="r",
            runner="operator",
        )
    operation = lease(queued.id, "operator")
    assert operation is not None
    return operation


def test_what_a_run_by_hand_left_is_taken_back_by_a_worker(
    instance: Instance, context: Context, redis: Redis
) -> None:
    operation = by_hand(instance, "instance_patch")
    sweeper.end_dead_leases(context, utcnow() + LATER)
    row = fresh(operation)
    assert (row.state, row.phase, row.outcome) == (State.QUEUED, "undo", "expired")
    assert jobs(redis, "bulk") == [operation.id]
    # a worker that dies with that is followed by another one, and the end is that of the run
    for _ in range(KINDS["instance_patch"].attempts):
        assert lease(operation.id, "a") is not None
        sweeper.end_dead_leases(context, utcnow() + 2 * LATER)
    row = fresh(operation)
    assert (row.state, row.reason) == ("expired", "the playbook run by hand never ended")
    assert fresh(instance).task is None


def test_a_run_by_hand_without_an_undo_ends(instance: Instance, context: Context) -> None:
    operation = by_hand(instance, "instance_restart")
    sweeper.end_dead_leases(context, utcnow() + LATER)
    assert fresh(operation).state == State.EXPIRED


def test_a_run_by_hand_that_is_aborted_is_taken_back(instance: Instance) -> None:
    operation = by_hand(instance, "instance_patch")
    assert [row.id for row in abort(operation)] == [operation.id]
    row = fresh(operation)
    assert (row.state, row.phase, row.outcome) == (State.QUEUED, "undo", "aborted")
    # its own end comes too late
    with pytest.raises(Unprocessable, match="not a playbook running by hand"):
        finish(row, True, None, {})


def test_directories_of_ended_runs_go(instance: Instance, context: Context, tmp_path: Path) -> None:
    operation = start(instance)
    for name in (operation.id, "long-gone"):
        (tmp_path / "operations" / name / "env").mkdir(parents=True)
    sweeper.clean_run_directories(context, utcnow())
    assert [path.name for path in (tmp_path / "operations").iterdir()] == [operation.id]


def test_a_silent_guest_is_marked_and_a_flushed_redis_is_no_silence(
    instance: Instance, redis: Redis
) -> None:
    now = 1_000_000.0
    reports = Reports(redis, clock=lambda: now)
    assert reports.mark_silent(90) == []
    now += 80
    assert reports.mark_silent(90) == []
    redis.flushall()
    now += 20
    assert reports.mark_silent(90) == [], "it gets the whole time again"
    now += 91
    assert reports.mark_silent(90) == [instance.id]
    assert fresh(instance).operating_status == "ERROR"


def test_one_steps_trouble_is_not_the_others(
    instance: Instance, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trouble(_context: Context, _now: Any) -> None:
        raise ValueError

    seen: list[str] = []
    monkeypatch.setattr(sweeper, "context", lambda: context)
    monkeypatch.setattr(sweeper, "STEPS", (trouble, lambda _context, _now: seen.append("done")))
    sweeper.sweep()
    assert seen == ["done"]


def test_old_records_of_the_audit_go_a_few_at_a_time(
    instance: Instance, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "FORGOTTEN_AT_ONCE", 2)
    identity, now = Identity("ann", "p1", frozenset()), utcnow()
    for days in (400, 366, 367, 364, 0):
        key = audit.asked(identity, "a", "POST", f"/{days}", "r")
        AuditRecord.update(at=now - timedelta(days=days)).where(AuditRecord.id == key).execute()
    keeping = msgspec.structs.replace(context.settings, audit_days=0)
    sweeper.forget_audit(dataclasses.replace(context, settings=keeping), now)
    assert AuditRecord.select().count() == 5
    sweeper.forget_audit(context, now)
    assert {row.path for row in AuditRecord.select()} == {"/366", "/364", "/0"}
    sweeper.forget_audit(context, now)
    assert {row.path for row in AuditRecord.select()} == {"/364", "/0"}
