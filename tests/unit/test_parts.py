"""Operations that hold several instances: their locks, their hosts, their ends."""

from pathlib import Path
from typing import Any

import pytest

from coffer.catalogue import Catalogue
from coffer.database import transaction
from coffer.errors import Unprocessable
from coffer.inventory import Inventory
from coffer.lifecycle import begin, end, lease
from coffer.models import Instance, Operation
from coffer.operations import KINDS, State
from coffer.parts import Part
from coffer.settings import Settings
from worker.hosts import inputs_of


@pytest.fixture
def replica(instance: Instance) -> Instance:
    """One that follows the other."""
    columns = {**instance.__data__, "name": "db2", "source": instance.id}
    return Instance.create(**columns | {"id": "2" * 36, "compute": {"address": "10.0.0.10"}})


def start(kind: str, instance: Instance, *parts: Part, **more: Any) -> Operation:
    with transaction():
        return begin(KINDS[kind], instance, user="u", request_id="r", parts=parts, **more)


def promote(instance: Instance, replica: Instance) -> Operation:
    part = Part(instance, {"source_id": replica.id})
    return start("replica_promote", replica, part, changes={"source_id": None})


def fresh(row: Any) -> Any:
    return type(row).get_by_id(row.id)


def test_a_part_keeps_others_from_its_instance(instance: Instance, replica: Instance) -> None:
    operation = promote(instance, replica)
    with pytest.raises(Unprocessable, match="busy"):
        start("backup_create", fresh(instance))
    waiting = start("instance_restart", fresh(instance))
    assert lease(waiting.id, "a") is None
    leased = lease(operation.id, "b")
    assert leased is not None
    part = Operation.get(Operation.leader == operation.id)
    assert (part.state, part.lock) == (State.RUNNING, instance.id)
    assert [row.id for row in end(leased, State.SUCCEEDED)] == [waiting.id]
    assert (fresh(instance).source_id, fresh(replica).source_id) == (replica.id, None)
    assert lease(waiting.id, "a") is not None


def test_an_operation_is_refused_whole(instance: Instance, replica: Instance) -> None:
    start("backup_create", instance)
    with pytest.raises(Unprocessable, match="busy"):
        promote(fresh(instance), replica)
    assert fresh(replica).task is None
    assert Operation.select().count() == 1


def test_a_waiting_part_is_taken_when_it_is_free(instance: Instance, replica: Instance) -> None:
    holder = start("instance_restart", instance)
    operation = start("replica_create", replica, Part(fresh(instance)))
    assert lease(operation.id, "a") is None
    assert fresh(operation).state == State.QUEUED
    leased = lease(holder.id, "b")
    assert leased is not None
    assert [row.id for row in end(leased, State.SUCCEEDED)] == [operation.id]
    assert fresh(instance).task == "BACKUP"
    assert lease(operation.id, "a") is not None


@pytest.fixture
def inventory(tmp_path: Path) -> Inventory:
    return Inventory(Settings(ssh_key=str(tmp_path / "id")), Catalogue("local"))


def test_a_run_has_the_hosts_of_the_parts_as_they_shall_be(
    instance: Instance, replica: Instance, inventory: Inventory
) -> None:
    operation = promote(instance, replica)
    inputs = inputs_of(inventory, operation, operation.changes, is_undo=False)
    assert inputs.groups == {"run_source": ["db2"], "run_replicas": ["db1"]}
    assert inputs.hosts["db1"]["coffer_source"] == {"id": replica.id, "address": "10.0.0.10"}
    assert inputs.hosts["db2"]["coffer_source"] == {}
    assert len(inputs.known_hosts) == 2
    undone = inputs_of(inventory, operation, {}, is_undo=True)
    assert undone.groups == {"run_source": ["db1"], "run_replicas": ["db2"]}


def test_undoing_a_creation_touches_nothing_but_what_was_made(
    instance: Instance, replica: Instance, inventory: Inventory
) -> None:
    operation = start("replica_create", replica, Part(instance))
    assert list(inputs_of(inventory, operation, {}, is_undo=False).hosts) == ["db2", "db1"]
    assert list(inputs_of(inventory, operation, {}, is_undo=True).hosts) == ["db2"]


def test_the_rest_of_a_set_reaches_the_engine_whoever_else_may(
    instance: Instance, replica: Instance, inventory: Inventory
) -> None:
    instance.access = {"allowed_cidrs": ["192.0.2.0/24"]}
    allowed = inventory.host_vars(instance)["coffer_allowed_cidrs"]
    assert allowed == ["192.0.2.0/24", "10.0.0.10/32"]
    replica.source = None
    replica.save()
    assert inventory.host_vars(instance)["coffer_allowed_cidrs"] == ["192.0.2.0/24"]
