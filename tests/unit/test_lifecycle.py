"""An operation's life: leases, ends, undo, retry, abort; on SQLite and PostgreSQL."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from coffer.clock import utcnow
from coffer.database import connect, database, transaction
from coffer.errors import LeaseLost, Unprocessable
from coffer.lifecycle import abort, begin, end, lease, renew, retry, start_undo
from coffer.models import Instance, Operation, Secret
from coffer.operations import KINDS, State


def start(instance: Instance, kind: str = "instance_restart", **kwargs: Any) -> Operation:
    with transaction():
        return begin(
            KINDS[kind], Instance.get_by_id(instance.id), user="u", request_id="r", **kwargs
        )


def fresh(row: Any) -> Any:
    return type(row).get_by_id(row.id)


def test_only_one_owner_wins_a_lease(instance: Instance) -> None:
    operation = start(instance)
    won = lease(operation.id, "a")
    assert won is not None
    assert (won.state, won.attempt, won.lock) == (State.RUNNING, 1, instance.id)
    assert lease(operation.id, "b") is None


def test_a_thousand_contenders_one_winner(instance: Instance) -> None:
    operation = start(instance)
    winners: list[str] = []

    def contend(name: str) -> None:
        with database.connection_context():
            if lease(operation.id, name):
                winners.append(name)

    threads = [threading.Thread(target=contend, args=(f"w{n}",)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(winners) == 1


def test_a_second_operation_is_refused_and_a_waiting_one_runs_next(instance: Instance) -> None:
    first = start(instance)
    with pytest.raises(Unprocessable, match="busy"):
        start(instance, "instance_create")
    deletion = start(instance, "instance_delete")
    assert fresh(instance).task == "SHUTDOWN"
    assert lease(deletion.id, "a") is None, "the lock is the first operation's"
    leased = lease(first.id, "a")
    assert leased is not None
    freed = end(leased, State.SUCCEEDED)
    assert [row.id for row in freed] == [deletion.id]
    assert fresh(instance).task == "SHUTDOWN"
    assert lease(deletion.id, "b") is not None


def test_success_makes_the_changes_true(instance: Instance) -> None:
    operation = lease(start(instance, "instance_resize", changes={"volume_size": 3}).id, "a")
    assert operation is not None
    assert fresh(instance).volume_size == 1
    end(operation, State.SUCCEEDED, facts={"compute": {"address": "10.0.0.10"}})
    row = fresh(instance)
    assert (row.volume_size, row.task, row.state) == (3, None, "ACTIVE")
    assert row.compute == {"address": "10.0.0.10"}


def test_a_restart_is_worth_more_than_a_report_of_before(instance: Instance) -> None:
    started = start(instance)
    Instance.update(operating_status="SHUTDOWN", report_sequence=7).execute()
    leased = lease(started.id, "a")
    assert leased is not None
    end(leased, State.SUCCEEDED)
    row = fresh(instance)
    assert row.operating_status == "HEALTHY"
    assert row.report_sequence > 10**18, "an older report comes too late"


def test_failure_leaves_the_row_and_a_fault(instance: Instance) -> None:
    operation = lease(start(instance, "instance_resize", changes={"volume_size": 3}).id, "a")
    assert operation is not None
    end(operation, State.FAILED, reason="no room", failing_task="Grow")
    row = fresh(instance)
    assert (row.volume_size, row.task, row.state) == (1, None, "ACTIVE")
    assert "no room" in row.fault_message


def test_deletion_leaves_no_secret_and_no_token(instance: Instance) -> None:
    Secret.create(instance=instance, name="host_key", value="x")
    Instance.update(guest_token_hash="h").execute()
    operation = lease(start(instance, "instance_delete").id, "a")
    assert operation is not None
    end(operation, State.SUCCEEDED)
    row = fresh(instance)
    assert row.deleted is not None
    assert row.guest_token_hash is None
    assert not Secret.select().exists()


def test_who_lost_the_lease_changes_nothing(instance: Instance) -> None:
    operation = lease(start(instance).id, "a")
    assert operation is not None
    Operation.update(state=State.QUEUED, lease_owner=None).execute()
    other = lease(operation.id, "b")
    assert other is not None
    for act in (
        lambda: renew(operation),
        lambda: end(operation, State.FAILED),
        lambda: start_undo(operation, State.FAILED, "r", None),
    ):
        with pytest.raises(LeaseLost):
            act()
    assert fresh(operation).state == State.RUNNING
    assert fresh(operation).lease_owner == "b"


def test_a_renewal_prolongs_the_lease(instance: Instance) -> None:
    operation = lease(start(instance).id, "a")
    assert operation is not None
    later = renew(operation, clock=lambda: utcnow() + timedelta(seconds=20))
    assert later.lease_until is not None
    assert operation.lease_until is not None
    assert later.lease_until > operation.lease_until


def test_undo_goes_on_under_the_same_lease(instance: Instance) -> None:
    operation = lease(start(instance, "instance_create").id, "a")
    assert operation is not None
    undoing = start_undo(operation, State.FAILED, "broken", "Start")
    assert (undoing.phase, undoing.outcome, undoing.state) == ("undo", "failed", "running")
    end(undoing, State.FAILED, reason=undoing.reason, failing_task=undoing.failing_task)
    row = fresh(instance)
    assert (row.state, row.compute) == ("ERROR", {})


def test_retry_runs_the_same_operation_again(instance: Instance) -> None:
    operation = start(instance, "instance_create")
    leased = lease(operation.id, "a")
    assert leased is not None
    with pytest.raises(Unprocessable, match="nothing to retry"):
        retry(operation)
    end(leased, State.FAILED, reason="x")
    again = retry(operation)
    assert (again.state, again.phase, again.reason) == (State.QUEUED, "do", None)
    assert again.attempts > again.attempt
    assert fresh(instance).task == "BUILD"
    assert lease(operation.id, "b") is not None


def test_only_the_latest_operation_can_be_retried(instance: Instance) -> None:
    operation = start(instance)
    leased = lease(operation.id, "a")
    assert leased is not None
    end(leased, State.FAILED, reason="x")
    newer = lease(start(instance).id, "a")
    assert newer is not None
    end(newer, State.SUCCEEDED)
    with pytest.raises(Unprocessable, match="latest"):
        retry(operation)


def test_abort_of_what_never_ran_ends_it_at_once(instance: Instance) -> None:
    operation = start(instance)
    abort(operation)
    assert fresh(operation).state == State.ABORTED
    assert fresh(instance).task is None
    with pytest.raises(Unprocessable, match="nothing to abort"):
        abort(operation)


def test_abort_of_what_runs_is_asked_of_its_worker(instance: Instance) -> None:
    operation = lease(start(instance).id, "a")
    assert operation is not None
    abort(operation)
    assert fresh(operation).state == State.RUNNING
    assert renew(operation).abort_requested


def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="database_url"):
        connect("oracle://x/y")
