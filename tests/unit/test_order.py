"""Operations of one instance: one after the other, in the order of asking, and told as they are."""

from typing import Any

import pytest

from coffer.database import transaction
from coffer.errors import Unprocessable
from coffer.lifecycle import abort, begin, end, lease, retry
from coffer.models import Instance, Operation
from coffer.operations import KINDS, State


def start(instance: Instance, kind: str, **kwargs: Any) -> Operation:
    with transaction():
        return begin(
            KINDS[kind], Instance.get_by_id(instance.id), user="u", request_id="r", **kwargs
        )


def fresh(row: Any) -> Any:
    return type(row).get_by_id(row.id)


def finish(operation: Operation) -> list[Operation]:
    leased = lease(operation.id, "w")
    assert leased is not None
    return end(leased, State.SUCCEEDED)


def test_nobody_is_overtaken(instance: Instance) -> None:
    first, second, third = (start(instance, "user_update") for _ in range(3))
    assert [row.id for row in finish(first)] == [second.id, third.id]
    assert lease(third.id, "quick") is None
    with pytest.raises(Unprocessable, match="busy"):
        start(instance, "backup_create")  # no operation has the lock just now
    finish(second)
    finish(third)


def test_an_aborted_one_leaves_the_word_of_what_runs(instance: Instance) -> None:
    running = start(instance, "instance_resize", changes={"volume_size": 2})
    assert lease(running.id, "w") is not None
    abort(start(instance, "instance_restart"))
    assert fresh(instance).task == "RESIZE"


def test_the_word_is_the_newest_ones(instance: Instance) -> None:
    first = start(instance, "database_create")
    start(instance, "instance_restart")
    start(instance, "instance_delete")
    finish(first)
    assert fresh(instance).task == "SHUTDOWN", "nobody asks for a second deletion"


def test_a_deletion_that_never_ran_leaves_the_instance(instance: Instance) -> None:
    start(instance, "database_create")
    abort(start(instance, "instance_delete"))
    row = fresh(instance)
    assert (row.state, row.task) == ("ACTIVE", None)
    assert "aborted" in row.fault_message


def test_a_retry_waits_for_nobody(instance: Instance) -> None:
    start(instance, "database_create")
    waiting = start(instance, "instance_restart")
    abort(waiting)
    with pytest.raises(Unprocessable, match="busy: database_create"):
        retry(waiting)
