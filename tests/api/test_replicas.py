"""Replicas through the API: what is asked, refused and held; who follows whom once it is done."""

from typing import Any

import pytest

from coffer.database import database
from coffer.lifecycle import end, lease
from coffer.models import Instance, Operation
from coffer.operations import State


@pytest.fixture
def source(api: Any, wish: Any) -> str:
    """An instance that runs."""
    key = str(api.call("POST", "/instances", wish).json["instance"]["id"])
    ready()
    return key


def ready() -> None:
    """As if every operation had ended well."""
    with database.connection_context():
        Operation.update(state="succeeded", lock=None).execute()
        Instance.update(
            state="ACTIVE", task=None, operating_status="HEALTHY", compute={"address": "10.0.0.9"}
        ).execute()


def ask(api: Any, source: str, status: int = 200, **more: Any) -> Any:
    """Ask for replicas; the answer's document."""
    body = {"instance": {"name": "db2", "replica_of": source, **more}}
    answer = api.call("POST", "/instances", body)
    assert answer.status_code == status, answer.text
    return answer.json


def replica(api: Any, source: str, **more: Any) -> str:
    """A replica that runs."""
    key = str(ask(api, source, **more)["instance"]["id"])
    ready()
    return key


def show(api: Any, key: str) -> Any:
    return api.call("GET", f"/instances/{key}").json["instance"]


def act(api: Any, key: str, action: str) -> Any:
    return api.call("POST", f"/instances/{key}/action", {action: {}})


def finish(state: State = State.SUCCEEDED, **facts: Any) -> None:
    """The end of what is queued, in the order in which workers can take it."""
    with database.connection_context():
        for row in Operation.select().where(
            Operation.state == "queued", Operation.leader.is_null()
        ):
            if leased := lease(row.id, "w"):
                end(leased, state, reason="why", facts=facts)


def test_a_replica_has_all_of_its_source(api: Any, source: str) -> None:
    made = ask(api, source, access={"is_public": False})["instance"]
    assert (made["status"], made["replica_of"]["id"]) == ("BUILD", source)
    assert (made["flavor"]["id"], made["volume"], made["datastore"]["version"]) == (
        "small",
        {"size": 1},
        "9.7",
    )
    assert made["access"] == {"is_public": False}
    shown = show(api, source)
    assert (shown["status"], [row["id"] for row in shown["replicas"]]) == ("BACKUP", [made["id"]])
    assert "replicas" not in made
    finish()
    assert (show(api, source)["status"], show(api, made["id"])["status"]) == ("ACTIVE", "ACTIVE")
    listed = {row["id"]: row for row in api.call("GET", "/instances").json["instances"]}
    assert listed[made["id"]]["replica_of"]["id"] == source
    assert [row["id"] for row in listed[source]["replicas"]] == [made["id"]]


def test_several_are_charged_and_made_one_after_the_other(api: Any, source: str) -> None:
    made = ask(api, source, replica_count=3)["instance"]
    assert made["name"] == "db2-3"
    rows = api.call("GET", "/mgmt/quotas/p1").json["quotas"]
    used = {row["resource"]: row["in_use"] for row in rows}
    assert (used["instances"], used["ram"], used["volumes"]) == (4, 4096, 4)
    with database.connection_context():
        asked = Operation.select().where(Operation.kind == "replica_create")
        first, second, third = asked.order_by(Operation.created)
        leased = lease(first.id, "a")
        assert leased is not None
        assert lease(second.id, "b") is None, "the source is the first one's"
        freed = end(leased, State.SUCCEEDED)
        assert {row.id for row in freed} == {second.id, third.id}
        assert lease(second.id, "b") is not None
    assert show(api, source)["status"] == "BACKUP"


def test_a_replica_has_the_locality_of_its_source(api: Any, wish: Any) -> None:
    wish["instance"]["locality"] = "anti-affinity"
    refused = api.call("POST", "/instances", wish)
    assert (refused.status_code, "affinity" in refused.text) == (501, True)
    wish["instance"]["locality"] = "affinity"
    source = api.call("POST", "/instances", wish).json["instance"]["id"]
    ready()
    assert show(api, source)["locality"] == "affinity"
    assert ask(api, source)["instance"]["locality"] == "affinity"


def test_more_than_the_quota_is_refused_whole(api: Any, source: str) -> None:
    api.call("PUT", "/mgmt/quotas/p1", {"quotas": {"instances": 3}}, role="admin")
    ask(api, source, 413, replica_count=3)
    assert len(api.call("GET", "/instances").json["instances"]) == 1


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"flavorRef": "small"}, "flavorRef"),
        ({"flavor": "small"}, "flavor"),
        ({"volume": {"size": 1}}, "volume"),
        ({"datastore": {"type": "mysql"}}, "datastore"),
        ({"locality": "affinity"}, "locality"),
        ({"databases": [{"name": "x"}]}, "databases"),
        ({"users": [{"name": "u", "password": "p"}]}, "users"),
        ({"restorePoint": {"backupRef": "x"}}, "restorePoint"),
        ({"replica_count": 0}, "replica_count"),
        ({"replica_count": 4}, "replica_count"),
    ],
)
def test_what_comes_from_the_source_is_not_given(
    api: Any, source: str, more: dict[str, Any], word: str
) -> None:
    assert word in ask(api, source, 400, **more)["badRequest"]["message"]


def test_only_a_running_source_of_the_project_is_followed(api: Any, source: str) -> None:
    made = replica(api, source)
    assert "itself a replica" in ask(api, made, 400)["badRequest"]["message"]
    ask(api, "11111111-1111-1111-1111-111111111111", 404)
    stranger = {"instance": {"name": "x", "replica_of": source}}
    answer = api.call("POST", "/instances", stranger, role="stranger", project="p2")
    assert answer.status_code == 404
    with database.connection_context():
        Instance.update(operating_status="SHUTDOWN").execute()
    ask(api, source, 422)


def test_an_engine_without_replication_says_so(api: Any, source: str) -> None:
    with database.connection_context():
        version = Instance.get_by_id(source).version
        version.manager = "mongodb"
        version.save()
    assert "without replication" in ask(api, source, 400)["badRequest"]["message"]


def test_a_source_is_not_deleted_while_it_has_replicas(api: Any, source: str) -> None:
    made = replica(api, source)
    refused = api.call("DELETE", f"/instances/{source}")
    assert refused.status_code == 403
    assert made in refused.json["forbidden"]["message"]
    assert api.call("DELETE", f"/instances/{made}").status_code == 202
    finish()
    assert "replicas" not in show(api, source)
    with database.connection_context():  # who has left is let in no longer
        last = Operation.select().order_by(Operation.created.desc()).get()
        assert (last.kind, last.instance_id) == ("access_update", source)
    ready()
    assert api.call("DELETE", f"/instances/{source}").status_code == 202


def test_promotion_swaps_the_roles_of_all(api: Any, source: str) -> None:
    first, second = replica(api, source), replica(api, source)
    assert act(api, source, "promote_to_replica_source").status_code == 400
    assert act(api, first, "promote_to_replica_source").status_code == 202
    assert {show(api, key)["status"] for key in (source, first, second)} == {"PROMOTE"}
    for key in (source, first, second):
        assert act(api, key, "restart").status_code == 422
    finish()
    assert {row["id"] for row in show(api, first)["replicas"]} == {source, second}
    assert "replica_of" not in show(api, first)
    assert show(api, source)["replica_of"]["id"] == first
    assert {show(api, key)["status"] for key in (source, first, second)} == {"ACTIVE"}


def test_a_failed_promotion_changes_nothing_and_can_be_retried(api: Any, source: str) -> None:
    made = replica(api, source)
    operation = act(api, made, "promote_to_replica_source").headers["coffer-operation-id"]
    finish(State.FAILED)
    assert show(api, made)["replica_of"]["id"] == source
    assert "fault" in show(api, made)
    assert "fault" not in show(api, source)
    with database.connection_context():
        part = Operation.get(Operation.leader == operation)
    shown = api.call("GET", f"/operations/{part.id}").json["operation"]
    assert (shown["state"], shown["actions"], shown["instance_id"]) == ("failed", [], source)
    assert shown["part_of"] == operation
    assert api.call("POST", f"/operations/{part.id}/action", {"retry": {}}).status_code == 422
    assert api.call("POST", f"/operations/{operation}/action", {"retry": {}}).status_code == 202
    assert {show(api, key)["status"] for key in (source, made)} == {"PROMOTE"}
    finish()
    assert show(api, source)["replica_of"]["id"] == made


def test_aborting_a_part_aborts_the_whole(api: Any, source: str) -> None:
    made = replica(api, source)
    operation = act(api, made, "promote_to_replica_source").headers["coffer-operation-id"]
    with database.connection_context():
        part = Operation.get(Operation.leader == operation)
    assert api.call("POST", f"/operations/{part.id}/action", {"abort": {}}).status_code == 202
    assert api.call("GET", f"/operations/{operation}").json["operation"]["state"] == "aborted"
    assert {show(api, key)["status"] for key in (source, made)} == {"ACTIVE"}


def test_a_set_that_is_busy_is_not_promoted(api: Any, source: str) -> None:
    made = replica(api, source)
    assert api.call("POST", f"/instances/{source}/action", {"restart": {}}).status_code == 202
    assert act(api, made, "promote_to_replica_source").status_code == 422
    assert show(api, made)["status"] == "ACTIVE", "nothing of it was begun"


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("PUT", {"replica_of": None}),
        ("PUT", {"replica_of": ""}),
        ("PATCH", {"slave_of": ""}),
    ],
)
def test_detaching(api: Any, source: str, method: str, body: Any) -> None:
    assert api.call(method, f"/instances/{source}", {"instance": body}).status_code == 400
    made = replica(api, source)
    assert api.call(method, f"/instances/{made}", {"instance": body}).status_code == 202
    assert (show(api, made)["status"], show(api, source)["status"]) == ("DETACH", "ACTIVE")
    finish()
    assert "replica_of" not in show(api, made)
    assert "replicas" not in show(api, source)


def test_only_a_silent_source_is_ejected(api: Any, source: str) -> None:
    assert act(api, source, "eject_replica_source").status_code == 400
    first, second = replica(api, source), replica(api, source)
    assert "reported" in act(api, source, "eject_replica_source").json["badRequest"]["message"]
    with database.connection_context():
        Instance.update(operating_status="ERROR").where(Instance.id == source).execute()
    assert act(api, source, "eject_replica_source").status_code == 202
    assert {show(api, key)["status"] for key in (source, first, second)} == {"EJECT"}
    finish(replication={"source": second})
    assert [row["id"] for row in show(api, second)["replicas"]] == [first]
    assert not {"replica_of", "replicas"} & show(api, source).keys()


def test_a_replica_takes_no_changes_of_its_own(api: Any, source: str) -> None:
    made = replica(api, source)
    refused = [
        api.call("POST", f"/instances/{made}/databases", {"databases": [{"name": "x"}]}),
        api.call("POST", f"/instances/{made}/root", {}),
        api.call("POST", f"/instances/{made}/action", {"restore": {"to": "latest"}}),
    ]
    assert [answer.status_code for answer in refused] == [400, 400, 400]
    assert source in refused[0].json["badRequest"]["message"]


def test_a_larger_volume_reaches_the_replicas(api: Any, source: str) -> None:
    made = replica(api, source)
    grow = {"resize": {"volume": {"size": 3}}}
    assert api.call("POST", f"/instances/{source}/action", grow).status_code == 202
    assert {show(api, key)["status"] for key in (source, made)} == {"RESIZE"}
    finish()
    assert {show(api, key)["volume"]["size"] for key in (source, made)} == {3}
