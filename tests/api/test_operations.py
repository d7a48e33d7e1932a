"""Operations through the API: lists, events, retry, abort, runs by hand."""

from typing import Any

import pytest

from coffer.database import database
from coffer.models import Event, Instance, Operation


@pytest.fixture
def made(api: Any, wish: Any) -> dict[str, str]:
    """A fresh instance and its creation."""
    answer = api.call("POST", "/instances", wish)
    return {
        "instance": answer.json["instance"]["id"],
        "operation": answer.headers["coffer-operation-id"],
    }


def ready(instance_id: str) -> None:
    """As if the creation had ended well."""
    with database.connection_context():
        Operation.update(state="succeeded", lock=None).execute()
        Instance.update(state="ACTIVE", task=None, operating_status="HEALTHY").where(
            Instance.id == instance_id
        ).execute()


def test_an_operation_says_where_it_stands(api: Any, made: Any) -> None:
    shown = api.call("GET", f"/operations/{made['operation']}").json["operation"]
    assert shown["kind"] == "instance_create"
    assert shown["instance_name"] == "db1"
    assert shown["state"] == "queued"
    assert shown["actions"] == ["abort"]
    assert shown["user"] == "member"
    assert shown["request_id"].startswith("req-")


def test_lists_are_filtered_and_paged(api: Any, made: Any, wish: Any) -> None:
    api.call("POST", "/instances", wish)
    every = api.call("GET", "/operations").json["operations"]
    assert [row["id"] for row in every][1] == made["operation"], "newest first"
    mine = api.call("GET", "/operations", query_string=f"instance_id={made['instance']}")
    assert [row["id"] for row in mine.json["operations"]] == [made["operation"]]
    page = api.call("GET", "/operations", query_string="limit=1").json
    assert page["links"][0]["rel"] == "next"
    assert page["links"] == page["operations_links"]
    query = page["links"][0]["href"].split("?")[1]
    last = api.call("GET", "/operations", query_string=query).json
    assert [row["id"] for row in last["operations"]] == [made["operation"]]
    assert "links" not in last
    assert api.call("GET", "/operations", query_string="state=odd").status_code == 400


def test_events_come_after_the_one_asked_for(api: Any, made: Any) -> None:
    with database.connection_context():
        for task in ("one", "two", "three"):
            Event.create(operation=made["operation"], attempt=1, task=task, state="ok")
    path = f"/operations/{made['operation']}/events"
    first = api.call("GET", path).json
    assert [event["task"] for event in first["events"]] == ["one", "two", "three"]
    assert first["operation"]["id"] == made["operation"]
    after = first["events"][1]["id"]
    rest = api.call("GET", path, query_string=f"after={after}").json["events"]
    assert [event["task"] for event in rest] == ["three"]


def test_abort_before_anything_ran(api: Any, made: Any) -> None:
    path = f"/operations/{made['operation']}/action"
    assert api.call("POST", path, {"abort": {}}).status_code == 202
    shown = api.call("GET", f"/instances/{made['instance']}").json["instance"]
    assert shown["status"] == "ERROR"
    assert "aborted" in shown["fault"]["message"]
    assert api.call("POST", path, {"abort": {}}).status_code == 422
    assert api.call("POST", path, {"retry": {}}).status_code == 202
    assert api.call("GET", f"/instances/{made['instance']}").json["instance"]["status"] == "BUILD"


@pytest.mark.parametrize("body", [{}, {"retry": {}, "abort": {}}, {"explode": {}}])
def test_malformed_actions(api: Any, made: Any, body: Any) -> None:
    answer = api.call("POST", f"/operations/{made['operation']}/action", body)
    assert answer.status_code == 400


def test_a_reader_only_reads(api: Any, made: Any) -> None:
    path = f"/operations/{made['operation']}"
    assert api.call("GET", path, role="reader").status_code == 200
    answer = api.call("POST", f"{path}/action", {"abort": {}}, role="reader")
    assert answer.status_code == 403


def declare(api: Any, instance: str, role: str = "admin", kind: str = "instance_restart") -> Any:
    body = {"operation": {"kind": kind, "instance_id": instance}}
    return api.call("POST", "/operations", body, role=role)


def test_a_playbook_run_by_hand_is_on_the_record(api: Any, made: Any) -> None:
    ready(made["instance"])
    assert declare(api, made["instance"], role="member").status_code == 403
    begun = declare(api, made["instance"]).json["operation"]
    assert begun["state"] == "running"
    assert declare(api, made["instance"]).status_code == 422
    shown = api.call("GET", f"/instances/{made['instance']}").json["instance"]
    assert shown["status"] == "REBOOT"
    path = f"/operations/{begun['id']}/action"
    assert api.call("POST", path, {"finish": {"succeeded": True}}).status_code == 403
    answer = api.call("POST", path, {"finish": {"succeeded": True}}, role="admin")
    assert answer.status_code == 202
    shown = api.call("GET", f"/instances/{made['instance']}").json["instance"]
    assert shown["status"] == "ACTIVE"
    again = api.call("POST", path, {"finish": {"succeeded": True}}, role="admin")
    assert again.status_code == 422


def test_what_cannot_be_run_by_hand(api: Any, made: Any) -> None:
    ready(made["instance"])
    assert declare(api, made["instance"], kind="instance_create").status_code == 400


def test_a_workers_operation_cannot_be_finished_by_hand(api: Any, made: Any) -> None:
    path = f"/operations/{made['operation']}/action"
    answer = api.call("POST", path, {"finish": {"succeeded": True}}, role="admin")
    assert answer.status_code == 422


def test_public_documents(api: Any) -> None:
    get = api.client.simulate_get
    assert get("/").json["versions"][0]["id"] == "v1.0"
    assert get("/v1.0").json["version"]["id"] == "v1.0"
    assert get("/v1.0/").json["version"]["status"] == "CURRENT"
    assert get("/healthcheck").text == "OK"
    assert "coffer_instances" in get("/metrics").text
    assert get("/ca.pem").status_code == 404


def test_unknown_routes_and_methods(api: Any) -> None:
    for method, path in (("GET", "/nothing"), ("PATCH", "/flavors"), ("TRACE", "/instances")):
        answer = api.call(method, path)
        assert answer.status_code in (400, 404)
        assert set(answer.json) <= {"itemNotFound", "badRequest"}


def test_flavors_have_both_ids(api: Any) -> None:
    flavors = api.call("GET", "/flavors").json["flavors"]
    assert all(row["id"] is None or isinstance(row["id"], int) for row in flavors)
    one = api.call("GET", f"/flavors/{flavors[0]['str_id']}").json["flavor"]
    assert one == flavors[0]
    assert api.call("GET", "/flavors/none").status_code == 404


def test_datastores_by_name_and_id(api: Any) -> None:
    (store,) = api.call("GET", "/datastores").json["datastores"]
    assert store["default_version"] == store["versions"][0]["id"]
    assert "datastore" not in store["versions"][0]
    for reference in (store["name"], store["id"]):
        assert api.call("GET", f"/datastores/{reference}").json["datastore"] == store
        listed = api.call("GET", f"/datastores/{reference}/versions").json["versions"]
        for version in (listed[0]["name"], listed[0]["id"]):
            found = api.call("GET", f"/datastores/{reference}/versions/{version}")
            assert found.json["version"] == listed[0]
    assert api.call("GET", f"/datastores/versions/{listed[0]['id']}").status_code == 200
    assert api.call("GET", "/datastores/none").status_code == 404
    assert api.call("GET", "/datastores/mysql/versions/none").status_code == 404


def test_inventory_is_the_administrators(api: Any, made: Any) -> None:
    assert api.call("GET", "/inventory").status_code == 403
    found = api.call("GET", "/inventory", role="admin").json
    assert found["groups"]["engine_mysql"] == ["db1"]
    assert found["hosts"]["db1"]["coffer_instance_id"] == made["instance"]
    assert "password" not in str(found)
