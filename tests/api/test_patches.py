"""Patches and upgrades through the API."""

from typing import Any

import pytest

from coffer.database import database
from coffer.datastores import register
from coffer.lifecycle import end, lease
from coffer.models import DatastoreVersion, Instance, Operation
from coffer.operations import State
from coffer.secrets import hash_token


@pytest.fixture
def running(api: Any, wish: Any) -> str:
    """A MariaDB of the older version that runs."""
    with database.connection_context():
        for name in (None, "10.11.18"):
            register(api.services.catalogue, "mariadb", name, None)
    wish["instance"]["datastore"] = {"type": "mariadb", "version": "10.11.18"}
    made = api.call("POST", "/instances", wish).json["instance"]["id"]
    with database.connection_context():
        leased = lease(Operation.get().id, "w")
        assert leased
        facts = {"compute": {"address": "192.0.2.9"}, "engine": {"version": "10.11.18"}}
        end(leased, State.SUCCEEDED, facts=facts)
        Instance.update(operating_status="HEALTHY").execute()
    return str(made)


def begun(answer: Any) -> Operation:
    assert answer.status_code == 202, answer.text
    row: Operation = Operation.get_by_id(answer.headers["Coffer-Operation-Id"])
    return row


def test_a_plan_changes_nothing_and_tells_what_would(api: Any, running: str) -> None:
    path = f"/instances/{running}/patch"
    answer = api.call("POST", path, {"patch": {"plan": True, "packages": "all"}})
    found = {"packages": [], "engine": {}, "restart": False}
    with database.connection_context():
        operation = begun(answer)
        assert operation.parameters == {"patch_packages": "all"}
        leased = lease(operation.id, "w")
        assert leased
        end(leased, State.SUCCEEDED, facts={"patch": found})
    shown = api.call("GET", f"/operations/{operation.id}").json["operation"]
    assert shown["result"] == {"patch": found}
    assert api.call("GET", f"/instances/{running}").json["instance"]["status"] == "ACTIVE"


def test_a_patch_is_an_operation_that_has_the_instance(api: Any, running: str) -> None:
    path = f"/instances/{running}/patch"
    answer = api.call("POST", path, {"patch": {}})
    with database.connection_context():
        assert begun(answer).kind == "instance_patch"
    assert api.call("GET", f"/instances/{running}").json["instance"]["status"] == "UPGRADE"
    assert api.call("POST", path, {"patch": {}}).status_code == 422


@pytest.mark.parametrize("body", [{}, {"patch": {"packages": "some"}}, {"patch": {"when": 1}}])
def test_bad_patches(api: Any, running: str, body: Any) -> None:
    assert api.call("POST", f"/instances/{running}/patch", body).status_code == 400


def test_an_upgrade_has_the_new_version_when_it_has_succeeded(api: Any, running: str) -> None:
    # given an instance whose datastore has a newer version, when it is upgraded
    change = {"instance": {"datastore_version": "10.11", "backup": False}}
    answer = api.call("PATCH", f"/instances/{running}", change)
    with database.connection_context():
        operation = begun(answer)
        # then the playbook is told what runs and what shall run
        row = Instance.get_by_id(running)
        told = api.services.inventory.host_vars(row, operation.changes)
        assert told["coffer_engine_version"] == "10.11.18"
        newest = DatastoreVersion.get_by_id(operation.changes["version_id"]).version
        assert told["coffer_newest_engine_version"] == newest != "10.11.18"
        # and the record says so when it has ended
        leased = lease(operation.id, "w")
        assert leased
        end(leased, State.SUCCEEDED, facts={"engine": {"version": newest}})
        told = api.services.inventory.host_vars(Instance.get_by_id(running))
        assert told["coffer_engine_version"] == newest
    shown = api.call("GET", f"/instances/{running}").json["instance"]
    assert shown["datastore"]["version"] == "10.11"


@pytest.mark.parametrize(
    ("version", "words"),
    [("9.7", "does not exist"), ("10.11.18", "has '10.11.18' already"), ("nope", "does not exist")],
)
def test_upgrades_that_are_none(api: Any, running: str, version: str, words: str) -> None:
    change = {"instance": {"datastore_version": version}}
    answer = api.call("PATCH", f"/instances/{running}", change)
    assert (answer.status_code, words in answer.text) == (400, True), answer.text


def test_no_way_back_to_an_older_version(api: Any, running: str) -> None:
    with database.connection_context():
        newest = DatastoreVersion.get(DatastoreVersion.name == "10.11")
        Instance.update(version=newest).execute()
    change = {"instance": {"datastore_version": "10.11.18"}}
    answer = api.call("PATCH", f"/instances/{running}", change)
    assert answer.status_code == 400
    assert "no way from '10.11' to '10.11.18'" in answer.text


def test_a_version_moves_on_with_the_catalogue(api: Any, running: str) -> None:
    # given a version that was put on offer when its engine was older
    with database.connection_context():
        mine = DatastoreVersion.get(DatastoreVersion.name == "10.11.18")
        DatastoreVersion.update(version="10.11.17").where(DatastoreVersion.id == mine.id).execute()
        Instance.update(engine_version="10.11.17").execute()
        # when it is put on offer again
        row, changed = register(api.services.catalogue, "mariadb", "10.11.18", None)
        # then it is the same one of a newer number, to which patches bring its instances
        assert (row.id, row.version, changed) == (mine.id, "10.11.18", True)
        told = api.services.inventory.host_vars(Instance.get_by_id(running))
        wanted = (told["coffer_engine_version"], told["coffer_newest_engine_version"])
        assert wanted == ("10.11.17", "10.11.18")
        assert not register(api.services.catalogue, "mariadb", "10.11.18", None)[1]


def test_pending_updates_are_shown_where_a_guest_tells_them(api: Any, running: str) -> None:
    def shown() -> tuple[Any, bool]:
        (row,) = api.call("GET", "/instances").json["instances"]
        text = api.client.simulate_get("/metrics").text
        line = (
            f'coffer_instance_pending_packages{{instance="{running}",name="db1",project="p1"}} 3.0'
        )
        return row.get("pending_packages"), line in text

    assert shown() == (None, False)
    with database.connection_context():
        row = Instance.get_by_id(running)
        Instance.update(guest_token_hash=hash_token("t")).execute()
        report = {"instance_id": row.id, "state": "HEALTHY", "sequence": 1, "pending_packages": 3}
        assert api.services.reports.accept_all([("t", report)]) == [True]
    assert shown() == (3, True)
