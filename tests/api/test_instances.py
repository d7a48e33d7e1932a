"""Instances through the API: Trove's shapes, refusals, and what lands in the records."""

from typing import Any

import pytest

from coffer.clock import utcnow
from coffer.database import database
from coffer.models import Instance, Operation, Secret


def test_create_answers_at_once_and_queues_one_operation(api: Any, wish: Any) -> None:
    answer = api.call("POST", "/instances", wish)
    assert answer.status_code == 200, answer.text
    instance = answer.json["instance"]
    assert instance["status"] == "BUILD"
    assert instance["operating_status"] == ""
    assert instance["flavor"]["id"] == "small"
    assert instance["datastore"] == {
        "type": "mysql",
        "version": "9.7",
        "version_number": "9.7.4",
    }
    assert not {"ip", "addresses", "fault", "replica_of", "configuration"} & instance.keys()
    shown = api.call("GET", f"/instances/{instance['id']}")
    assert shown.json["instance"]["id"] == instance["id"]
    with database.connection_context():
        operation = Operation.get()
        assert operation.id == answer.headers["coffer-operation-id"]
        assert (operation.kind, operation.state) == ("instance_create", "queued")
        assert "7*7" not in "".join(row.value for row in Secret.select())


def test_optional_parts_are_absent_never_null(api: Any, wish: Any) -> None:
    api.call("POST", "/instances", wish)
    for path in ("/instances", "/instances/detail"):
        row = api.call("GET", path).json["instances"][0]
        assert all(row[key] is not None for key in row if key != "region")


REFUSED = [
    ({"name": ""}, 400, "name"),
    ({"name": "x" * 300}, 400, "name"),
    ({"name": "---"}, 400, "name"),
    ({"name": 7}, 400, "name"),
    ({"flavorRef": "nope"}, 400, "flavorRef"),
    ({"flavorRef": None}, 400, "flavorRef"),
    ({"volume": None}, 400, "volume"),
    ({"volume": {"size": 0}}, 400, "volume.size"),
    ({"volume": {"size": -3}}, 400, "volume.size"),
    ({"volume": {"size": "much"}}, 400, "volume.size"),
    ({"volume": {"size": 1.5}}, 400, "volume.size"),
    ({"volume": {"size": 100000}}, 413, "volume.size"),
    ({"datastore": {"type": "oracle"}}, 404, "oracle"),
    ({"datastore": {"type": "mysql", "version": "1.0"}}, 400, "version"),
    ({"databases": [{"name": "mysql"}]}, 400, "reserved"),
    ({"databases": [{"name": "app"}, {"name": "app"}]}, 400, "databases[1]"),
    ({"databases": [{"name": "x" * 65}]}, 400, "databases[0]"),
    ({"users": [{"name": "u"}]}, 400, "password"),
    ({"users": [{"name": "root", "password": "p"}]}, 400, "reserved"),
    ({"users": [{"name": "u" * 33, "password": "p"}]}, 400, "users[0]"),
    (
        {"users": [{"name": "u", "password": "p"}, {"name": "u", "password": "q"}]},
        400,
        "users[1]",
    ),
    (
        {"users": [{"name": "u", "password": "p", "databases": [{"name": "other"}]}]},
        400,
        "other",
    ),
    ({"access": {"allowed_cidrs": ["10.0.0.0/99"]}}, 400, "allowed_cidrs[0]"),
    ({"replica_of": "x"}, 400, "flavorRef"),
    ({"replica_count": 2}, 400, "replica_count"),
]


@pytest.mark.parametrize(("change", "status", "word"), REFUSED)
def test_bad_wishes_are_refused_with_the_field(
    api: Any, wish: Any, change: dict[str, Any], status: int, word: str
) -> None:
    wish["instance"].update(change)
    answer = api.call("POST", "/instances", wish)
    assert answer.status_code == status, answer.text
    (fault,) = answer.json.values()
    assert fault["code"] == status
    assert word in fault["message"]
    with database.connection_context():
        assert not Instance.select().exists()


def test_bodies_that_are_no_bodies(api: Any) -> None:
    def send(data: bytes, content_type: str = "application/json") -> Any:
        return api.client.simulate_post(
            "/v1.0/p1/instances",
            headers={"X-Auth-Token": api.tokens["member"], "Content-Type": content_type},
            body=data,
        )

    assert send(b"{").status_code == 400
    assert send(b"[]").status_code == 400
    assert send(b"\xff\xfe").status_code == 400
    assert send(b"[" * 100_000).status_code == 400
    assert send(b"a=b", "application/x-www-form-urlencoded").status_code == 415
    assert send(b" " * (10 * 1024 * 1024)).status_code == 413


@pytest.mark.parametrize(("role", "status"), [(None, 401), ("reader", 403), ("stranger", 403)])
def test_who_may_create(api: Any, wish: Any, role: str | None, status: int) -> None:
    answer = api.call("POST", "/instances", wish, role=role)
    assert answer.status_code == status
    assert ("www-authenticate" in answer.headers) == (status == 401)


def test_another_projects_instance_is_not_there(api: Any, wish: Any) -> None:
    made = api.call("POST", "/instances", wish).json["instance"]["id"]
    for method, path, body in (
        ("GET", "", None),
        ("DELETE", "", None),
        ("POST", "/action", {"restart": {}}),
        ("GET", "/connection", None),
    ):
        answer = api.call(method, f"/instances/{made}{path}", body, role="stranger", project="p2")
        assert answer.status_code == 404, path


def test_a_building_instance_takes_no_action(api: Any, wish: Any) -> None:
    made = api.call("POST", "/instances", wish).json["instance"]["id"]
    for body in ({"restart": {}}, {"resize": {"volume": {"size": 2}}}):
        answer = api.call("POST", f"/instances/{made}/action", body)
        assert answer.status_code == 422
        assert "not ready" in answer.json["unprocessableEntity"]["message"]
    assert api.call("DELETE", f"/instances/{made}").status_code == 422


def ready(instance_id: str) -> None:
    """As if the creation had ended well."""
    with database.connection_context():
        Operation.update(state="succeeded", lock=None).execute()
        Instance.update(
            state="ACTIVE",
            task=None,
            operating_status="HEALTHY",
            compute={"address": "10.0.0.9"},
        ).where(Instance.id == instance_id).execute()


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({}, 400, "exactly one"),
        ({"restart": {}, "resize": {"volume": {"size": 2}}}, 400, "exactly one"),
        ({"explode": {}}, 400, "explode"),
        ({"resize": {}}, 400, "exactly one"),
        ({"resize": {"volume": {"size": 1}}}, 400, "larger"),
        ({"resize": {"volume": {"size": 100000}}}, 413, "maximum"),
        ({"resize": {"flavorRef": "small"}}, 400, "already"),
        ({"resize": {"flavorRef": "nope"}}, 400, "nope"),
        ({"reset_status": {}}, 403, "admin"),
    ],
)
def test_bad_actions(api: Any, wish: Any, body: Any, status: int, word: str) -> None:
    made = api.call("POST", "/instances", wish).json["instance"]["id"]
    ready(made)
    answer = api.call("POST", f"/instances/{made}/action", body)
    assert answer.status_code == status, answer.text
    assert word in answer.text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"restart": {}}, "REBOOT"),
        ({"restart": None}, "REBOOT"),
        ({"resize": {"volume": {"size": 2}}}, "RESIZE"),
        ({"resize": {"volume": 2}}, "RESIZE"),
        ({"resize": {"flavorRef": "medium"}}, "RESIZE"),
    ],
)
def test_actions_start_one_operation_and_refuse_a_second(
    api: Any, wish: Any, body: Any, status: str
) -> None:
    made = api.call("POST", "/instances", wish).json["instance"]["id"]
    ready(made)
    answer = api.call("POST", f"/instances/{made}/action", body)
    assert (answer.status_code, answer.text) == (202, "")
    shown = api.call("GET", f"/instances/{made}").json["instance"]
    assert (shown["status"], shown["operating_status"]) == (status, "")
    assert api.call("POST", f"/instances/{made}/action", body).status_code == 422


def test_delete_waits_for_the_operation_under_way(api: Any, wish: Any) -> None:
    made = api.call("POST", "/instances", wish).json["instance"]["id"]
    ready(made)
    api.call("POST", f"/instances/{made}/action", {"restart": {}})
    assert api.call("DELETE", f"/instances/{made}").status_code == 202
    assert api.call("DELETE", f"/instances/{made}").status_code == 422
    with database.connection_context():
        assert Operation.get(Operation.kind == "instance_delete").lock is None
    assert api.call("GET", f"/instances/{made}").json["instance"]["status"] == "SHUTDOWN"


def test_pages(api: Any, wish: Any) -> None:
    made = {api.call("POST", "/instances", wish).json["instance"]["id"] for _ in range(5)}
    seen: list[str] = []
    path = "/instances?limit=2"
    while path:
        page = api.call("GET", path.split("?", maxsplit=1)[0], query_string=path.split("?")[1])
        seen += [row["id"] for row in page.json["instances"]]
        links = page.json.get("links", [])
        assert links == page.json.get("instances_links", [])
        path = links[0]["href"].split("/v1.0/p1", 1)[1] if links else ""
    assert sorted(seen) == sorted(made)
    assert len(seen) == len(made)
    for text in ("x", "-1", "1.5"):
        assert api.call("GET", "/instances", query_string=f"limit={text}").status_code == 400


def test_connection_document(api: Any, wish: Any) -> None:
    made = api.call("POST", "/instances", wish).json["instance"]["id"]
    assert api.call("GET", f"/instances/{made}/connection").status_code == 422
    ready(made)
    found = api.call("GET", f"/instances/{made}/connection").json["connection"]
    assert (found["host"], found["port"]) == ("10.0.0.9", 3306)
    assert "{user}" in found["uri"]
    assert "{host}" not in found["uri"]


def test_a_list_with_details_says_what_get_of_one_says(api: Any, wish: Any) -> None:
    made = api.call("POST", "/instances", wish).json["instance"]["id"]
    with database.connection_context():
        Instance.update(
            state="ACTIVE",
            task=None,
            operating_status="HEALTHY",
            compute={"address": "192.0.2.9"},
            access={"is_public": True},
            fault_message="it failed",
            fault_created=utcnow(),
            restart_required=True,
        ).execute()
    for role in ("member", "admin"):
        (row,) = api.call("GET", "/instances/detail", role=role).json["instances"]
        one = api.call("GET", f"/instances/{made}", role=role).json["instance"]
        assert row == {key: one[key] for key in row}
        assert "fault" in row
