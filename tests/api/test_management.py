"""/mgmt, what is answered with 501, and what may change of an instance."""

from typing import Any

import pytest

from coffer.database import database
from coffer.models import Instance, Operation


@pytest.fixture
def made(api: Any, wish: Any) -> str:
    """A ready instance."""
    instance_id: str = api.call("POST", "/instances", wish).json["instance"]["id"]
    with database.connection_context():
        Operation.update(state="succeeded", lock=None).execute()
        Instance.update(
            state="ACTIVE",
            task=None,
            operating_status="HEALTHY",
            compute={"address": "10.0.0.9", "server_id": "s1"},
        ).execute()
    return instance_id


def newest() -> Operation:
    with database.connection_context():
        found: Operation = Operation.select().order_by(Operation.created.desc()).first()
        return found


# --- management


def test_administrators_see_every_project(api: Any, made: str) -> None:
    with database.connection_context():
        Instance.update(project_id="other").execute()
    listed = api.call("GET", "/mgmt/instances", role="admin", query_string="deleted=False").json
    (row,) = listed["instances"]
    assert (row["id"], row["tenant_id"], row["deleted"]) == (made, "other", False)
    assert row["server"]["id"] == "s1"
    assert row["flavor"]["id"] == "small"
    shown = api.call("GET", f"/mgmt/instances/{made}", role="admin").json["instance"]
    assert shown["guest_status"] == {"state_description": "HEALTHY"}
    for query in ("deleted=True", "project_id=p1"):
        answer = api.call("GET", "/mgmt/instances", role="admin", query_string=query)
        assert answer.json["instances"] == []


def test_management_pages_by_offset(api: Any, wish: Any) -> None:
    for _ in range(3):
        api.call("POST", "/instances", wish)
    first = api.call("GET", "/mgmt/instances", role="admin", query_string="limit=2").json
    assert first["links"][0]["href"].endswith("limit=2&marker=2")
    last = api.call("GET", "/mgmt/instances", role="admin", query_string="limit=2&marker=2").json
    assert (len(first["instances"]), len(last["instances"])) == (2, 1)
    assert "links" not in last


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"reboot": {}}, 202),
        ({"reset-task-status": {}}, 202),
        ({"stop": {}}, 202),
        ({"migrate": {"host": "h"}}, 501),
        ({"rebuild": {"image_id": "x"}}, 400),
        ({"rebuild": {}}, 400),
        ({}, 400),
        ({"reboot": {}, "stop": {}}, 400),
        ({"explode": {}}, 400),
    ],
)
def test_management_actions(
    api: Any, made: str, body: Any, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.resources.management.STOP_WAIT", 0.0)
    path = f"/mgmt/instances/{made}/action"
    assert api.call("POST", path, body, role="member").status_code == 403
    assert api.call("POST", path, body, role="admin").status_code == status


def test_a_silent_guest_can_be_rebooted_and_nothing_else(api: Any, made: str) -> None:
    with database.connection_context():
        Instance.update(operating_status="ERROR").execute()
    path = f"/instances/{made}/action"
    assert api.call("POST", path, {"restart": {}}).status_code == 422
    reboot = {"reboot": {}}
    assert api.call("POST", f"/mgmt{path}", reboot, role="admin").status_code == 202
    assert api.call("POST", f"/mgmt{path}", reboot, role="admin").status_code == 422


def test_a_stopped_engine_is_not_broken(api: Any, made: str) -> None:
    with database.connection_context():
        Instance.update(operating_status="SHUTDOWN").execute()
    shown = api.call("GET", f"/instances/{made}").json["instance"]
    assert (shown["status"], shown["operating_status"]) == ("SHUTDOWN", "SHUTDOWN")
    assert "fault" not in shown
    assert api.call("POST", f"/instances/{made}/databases", {"databases": []}).status_code != 202
    path = f"/instances/{made}/action"
    assert api.call("POST", path, {"restart": {}}).status_code == 202


def test_what_is_known_of_a_guest(api: Any, made: str) -> None:
    def get(what: str) -> Any:
        return api.call("GET", f"/mgmt/instances/{made}/{what}", role="admin")

    assert get("root").json["root_history"] == {"id": made, "enabled": "Never", "user": "Nobody"}
    assert get("hwinfo").json["hwinfo"]["num_cpus"] >= 1
    assert get("rpc_ping").status_code == 422
    assert get("diagnostics").status_code == 422, "the guest has not reported"


# --- datastore versions

VERSION = {
    "name": "9.7",
    "datastore_name": "percona",
    "datastore_manager": "mysql",
    "active": True,
    "image": "mysql-9.7",
    "image_tags": [],
    "packages": [],
}
VERSIONS = "/mgmt/datastore-versions"


def create_version(api: Any, **more: Any) -> Any:
    return api.call("POST", VERSIONS, {"version": {**VERSION, **more}}, role="admin")


def find_version(api: Any, **wanted: Any) -> Any:
    rows = api.call("GET", VERSIONS, role="admin").json["versions"]
    return next(row for row in rows if all(row[key] == wanted[key] for key in wanted))


def test_a_version_is_made_changed_and_deleted(api: Any) -> None:
    answer = create_version(api, default=True)
    assert (answer.status_code, answer.content) == (202, b"")
    row = find_version(api, datastore_name="percona")
    assert (row["version"], row["default"], row["image"]) == ("9.7.4", True, "mysql-9.7")
    path = f"{VERSIONS}/{row['id']}"
    assert api.call("PATCH", path, {"image_tags": ["a"]}, role="admin").status_code == 202
    shown = api.call("GET", path, role="admin").json["version"]
    assert (shown["image"], shown["image_tags"]) == (None, ["a"])
    assert api.call("DELETE", "/datastores/percona", role="admin").status_code == 400
    assert api.call("DELETE", path, role="admin").status_code == 202
    assert api.call("DELETE", "/datastores/percona", role="admin").status_code == 202
    assert api.call("GET", "/datastores/percona").status_code == 404


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"image": None}, "image"),
        ({"datastore_manager": "oracle"}, "datastore_manager"),
        ({"active": False, "default": True}, "default"),
        ({"image_tags": ["x" * 21]}, "image_tags"),
        ({"colour": "red"}, "colour"),
        ({"datastore_name": "mysql"}, "exists already"),
    ],
)
def test_refused_versions(api: Any, more: Any, word: str) -> None:
    answer = create_version(api, **more)
    assert answer.status_code == 400
    assert word in answer.json["badRequest"]["message"]


def test_an_inactive_version_is_no_default(api: Any) -> None:
    row = find_version(api, datastore_name="mysql")
    path = f"{VERSIONS}/{row['id']}"
    changes = {"active": False, "name": "other", "default": True}
    assert api.call("PATCH", path, changes, role="admin").status_code == 400
    assert find_version(api, datastore_name="mysql") == row, "nothing changed"
    assert api.call("PATCH", path, {"colour": 1}, role="admin").status_code == 400
    assert api.call("PATCH", path, {"active": False}, role="admin").status_code == 202
    assert api.call("GET", "/datastores").json["datastores"] == []
    assert api.call("PATCH", path, {"default": False}, role="admin").status_code == 202


def test_a_version_in_use_stays(api: Any, made: str) -> None:
    row = find_version(api, datastore_name="mysql")
    assert api.call("DELETE", f"{VERSIONS}/{row['id']}", role="admin").status_code == 400
    assert api.call("DELETE", f"{VERSIONS}/{row['id']}").status_code == 403


# --- what may change of an instance


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"name": "db2"}, 202),
        ({}, 202),
        ({"configuration": None}, 202),
        ({"replica_of": None}, 400),
        ({"replica_of": ""}, 400),
        ({"datastore_version": "9.8"}, 400),
        ({"name": "x", "access": {}, "configuration": None}, 400),
        ({"access": {"is_public": True, "more": 1}}, 400),
        ({"flavorRef": "small"}, 400),
    ],
)
def test_changes(api: Any, made: str, method: str, changes: Any, status: int) -> None:
    answer = api.call(method, f"/instances/{made}", {"instance": changes})
    assert answer.status_code == status, answer.text


def test_access_keeps_what_is_not_sent(api: Any, made: str) -> None:
    def put(access: Any) -> int:
        code: int = api.call(
            "PUT", f"/instances/{made}", {"instance": {"access": access}}
        ).status_code
        return code

    def shown() -> Any:
        return api.call("GET", f"/instances/{made}").json["instance"]

    assert put({"allowed_cidrs": ["10.0.0.0/8"]}) == 202
    assert (newest().kind, shown()["access"]) == ("access_update", {}), "wanted, not yet so"
    assert put({"is_public": True}) == 202, "it waits for the first one, and builds on it"
    expected = {"allowed_cidrs": ["10.0.0.0/8"], "is_public": True}
    assert newest().changes == {"access": expected}
    with database.connection_context():
        Operation.update(state="succeeded", lock=None).execute()
    assert put({"allowed_cidrs": ["10.0.0.0/99"]}) == 400
    assert put({"allowed_cidrs": ["2001:db8::/32"]}) == 202


def test_access_of_an_instance_that_is_not_there_yet(api: Any, wish: Any) -> None:
    made = api.call("POST", "/instances", wish).json["instance"]["id"]
    body = {"instance": {"access": {"allowed_cidrs": []}}}
    assert api.call("PUT", f"/instances/{made}", body).status_code == 422


# --- known, but not built


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/clusters", 200),
        ("POST", "/clusters", 501),
        ("GET", "/backup_strategies", 200),
        ("GET", "/clusters/x", 501),
        ("POST", "/clusters/x/root", 501),
        ("GET", "/modules", 200),
        ("PUT", "/modules/x", 501),
        ("GET", "/mgmt/clusters", 501),
        ("GET", "/datastores/mysql/versions/9.7/flavors", 200),
        ("GET", "/datastores/mysql/versions/9.7/volume-types", 200),
        ("PATCH", "/clusters/x", 404),
        ("GET", "/security-groups", 404),
    ],
)
def test_the_rest_of_the_contract(api: Any, method: str, path: str, status: int) -> None:
    answer = api.call(method, path, {} if method != "GET" else None, role="admin")
    assert answer.status_code == status, answer.text
    if status >= 400:
        (fault,) = answer.json
        assert fault == {501: "notImplemented", 404: "itemNotFound"}[status]


def test_what_an_instance_does_not_show(api: Any, made: str) -> None:
    assert api.call("GET", f"/instances/{made}/ssl").status_code == 501
    assert api.call("GET", f"/instances/{made}/modules").json == {"modules": []}
