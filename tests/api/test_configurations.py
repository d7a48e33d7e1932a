"""Configuration groups and parameter rules through the API."""

from typing import Any

import pytest

from coffer.catalogue import Parameter
from coffer.database import database
from coffer.lifecycle import end, lease
from coffer.models import Configuration, DatastoreVersion, Instance, Operation
from coffer.operations import State

RULES = [
    Parameter("max_connections", "integer", False, 1, 1000),
    Parameter("innodb_log_file_size", "integer", True, 1),
    Parameter("event_scheduler", "boolean", False),
    Parameter("long_query_time", "float", False, 0, 100),
    Parameter("sql_mode", "string", False),
    Parameter("binlog_format", "string", True, options=["ROW", "MIXED"]),
    Parameter("default_password_lifetime", "integer", False),
]


@pytest.fixture(autouse=True)
def _rules(api: Any) -> None:
    api.services.catalogue._parameters = {("mysql", "9.7"): RULES}


def create(api: Any, values: dict[str, Any], **kwargs: Any) -> Any:
    return api.call("POST", "/configurations", {"configuration": {"name": "g", "values": values}})


def test_life_of_a_group(api: Any) -> None:
    made = create(api, {"MAX_CONNECTIONS": 5})
    assert made.status_code == 200, made.text
    group = made.json["configuration"]
    assert group["values"] == {"max_connections": 5}
    assert group["instance_count"] == 0
    path = f"/configurations/{group['id']}"
    patched = api.call("PATCH", path, {"configuration": {"values": {"sql_mode": "ANSI"}}})
    assert (patched.status_code, patched.text) == (200, "")
    shown = api.call("GET", path).json["configuration"]
    assert shown["values"] == {"max_connections": 5, "sql_mode": "ANSI"}
    assert api.call("PUT", path, {"configuration": {"name": "h"}}).status_code == 202
    shown = api.call("GET", path).json["configuration"]
    assert (shown["name"], shown["values"]) == ("h", {})
    (listed,) = api.call("GET", "/configurations").json["configurations"]
    assert "values" not in listed
    assert listed["datastore_version_number"] == "9.7.4"
    assert api.call("DELETE", path).status_code == 202
    assert api.call("GET", path).status_code == 404


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"nope": 1}, "nope"),
        ({"max_connections": "5"}, "integer"),
        ({"max_connections": True}, "integer"),
        ({"max_connections": 0}, "less than"),
        ({"max_connections": 1001}, "more than"),
        ({"long_query_time": "x"}, "float"),
        ({"event_scheduler": 2}, "boolean"),
        ({"event_scheduler": "ON"}, "boolean"),
        ({"sql_mode": "A\nport=1"}, "string"),
        ({"binlog_format": "ODD"}, "not one of"),
        ({"sql_mode": {"a": 1}}, "string"),
    ],
)
def test_values_that_break_a_rule(api: Any, values: dict[str, Any], word: str) -> None:
    answer = create(api, values)
    assert answer.status_code == 422, answer.text
    assert word in answer.json["unprocessableEntity"]["message"]


def test_numbers_that_terraform_cannot_write_otherwise(api: Any) -> None:
    made = create(api, {"long_query_time": 2, "event_scheduler": 1}).json["configuration"]
    assert made["values"] == {"long_query_time": 2.0, "event_scheduler": True}


def test_password_like_values_are_masked(api: Any) -> None:
    made = create(api, {"default_password_lifetime": 3}).json["configuration"]
    assert made["values"] == {"default_password_lifetime": "********"}


def test_parameters(api: Any) -> None:
    listed = api.call("GET", "/datastores/mysql/versions/9.7/parameters").json
    assert len(listed["configuration-parameters"]) == len(RULES)
    one = api.call("GET", "/datastores/mysql/versions/9.7/parameters/max_connections").json
    assert (one["name"], one["min"], one["max"]) == ("max_connections", 1, 1000)
    version = one["datastore_version_id"]
    assert api.call("GET", f"/datastores/versions/{version}/parameters").json == listed
    path = f"/datastores/versions/{version}/parameters/sql_mode"
    assert api.call("GET", path).json["type"] == "string"
    assert api.call("GET", f"{path}x").status_code == 404


def test_attached_groups_follow_their_values(api: Any, wish: Any) -> None:
    group = create(api, {"max_connections": 5}).json["configuration"]["id"]
    instance = api.call("POST", "/instances", wish).json["instance"]["id"]
    with database.connection_context():
        Operation.update(state="succeeded", lock=None).execute()
        Instance.update(
            state="ACTIVE", task=None, operating_status="HEALTHY", configuration=group
        ).execute()
    shown = api.call("GET", f"/instances/{instance}").json["instance"]
    assert shown["configuration"]["id"] == group
    found = api.call("GET", f"/configurations/{group}/instances").json["instances"]
    assert found == [{"id": instance, "name": "db1"}]
    assert api.call("DELETE", f"/configurations/{group}").status_code == 400
    again = api.call("PUT", f"/instances/{instance}", {"instance": {"configuration": group}})
    assert again.status_code == 400
    body = {"configuration": {"values": {"max_connections": 7}}}
    changed = api.call("PATCH", f"/configurations/{group}", body)
    assert changed.headers["coffer-operation-id"]
    with database.connection_context():
        latest = Operation.select().order_by(Operation.created.desc()).get()
        assert latest.kind == "configuration_update"
        variables = api.services.inventory.host_vars(Instance.get_by_id(instance))
    assert variables["coffer_configuration"] == {"max_connections": 7}


def test_an_instance_is_made_with_a_group(api: Any, wish: Any) -> None:
    # given a group, and a wish that names it
    group = create(api, {"max_connections": 5}).json["configuration"]["id"]
    wish["instance"]["configuration"] = f"http://elsewhere/configurations/{group}"
    # when the instance is made
    made = api.call("POST", "/instances", wish)
    # then it has the group from the start, which cannot go away any more
    assert made.status_code == 200, made.text
    assert made.json["instance"]["configuration"]["id"] == group
    with database.connection_context():
        row = Instance.get_by_id(made.json["instance"]["id"])
        assert api.services.inventory.host_vars(row)["coffer_configuration"] == {
            "max_connections": 5
        }
    assert api.call("DELETE", f"/configurations/{group}").status_code == 400
    # and one that is not there, or of another version, is refused
    wish["instance"]["configuration"] = "nobody"
    assert api.call("POST", "/instances", wish).status_code == 404
    with database.connection_context():
        other = DatastoreVersion.get_by_id(row.version_id)
        values = {**other.__data__, "id": "other", "name": "9.8"}
        DatastoreVersion.insert(values).execute()
        Configuration.update(version="other").execute()
    wish["instance"]["configuration"] = group
    refused = api.call("POST", "/instances", wish)
    assert refused.status_code == 400
    assert "of another datastore version" in refused.text


def test_a_group_that_is_being_attached_stays(api: Any, wish: Any) -> None:
    made = api.call("POST", "/instances", wish).json["instance"]["id"]
    group = create(api, {"max_connections": 5}).json["configuration"]["id"]
    with database.connection_context():
        Operation.update(state="succeeded", lock=None).execute()
        Instance.update(state="ACTIVE", task=None, operating_status="HEALTHY").execute()
    body = {"instance": {"configuration": group}}
    assert api.call("PUT", f"/instances/{made}", body).status_code == 202
    refused = api.call("DELETE", f"/configurations/{group}")
    assert refused.status_code == 400
    assert "is attached to db1" in refused.text


def test_what_an_instance_has_by_default(api: Any, wish: Any) -> None:
    # given an instance that is being made
    path = f"/instances/{api.call('POST', '/instances', wish).json['instance']['id']}/configuration"
    assert api.call("GET", path).status_code == 422
    # when its creation ends and leaves what its size gives it
    left = {"max_connections": "40", "event_scheduler": "ON", "tmp_table_size": "16M"}
    with database.connection_context():
        leased = lease(Operation.get().id, "w")
        assert leased
        end(leased, State.SUCCEEDED, facts={"defaults": left})
    # then these are shown, in their types
    shown = api.call("GET", path).json["instance"]["configuration"]
    assert shown == {"max_connections": 40, "event_scheduler": True, "tmp_table_size": "16M"}


def test_renaming_and_detaching_what_is_not_attached(api: Any, wish: Any) -> None:
    instance = api.call("POST", "/instances", wish).json["instance"]["id"]
    path = f"/instances/{instance}"
    assert api.call("PUT", path, {"instance": {"name": "new"}}).status_code == 202
    assert api.call("GET", path).json["instance"]["name"] == "new"
    assert api.call("PUT", path, {"instance": {}}).status_code == 202
    assert api.call("PUT", path, {"instance": {"colour": "red"}}).status_code == 400


def test_what_would_change_is_found_out_by_an_operation(api: Any, wish: Any) -> None:
    # given a ready instance and a group
    made = api.call("POST", "/instances", wish).json["instance"]["id"]
    group = create(api, {"max_connections": 5}).json["configuration"]["id"]
    with database.connection_context():
        Operation.update(state="succeeded", lock=None).execute()
        Instance.update(state="ACTIVE", task=None, operating_status="HEALTHY").execute()
    path = f"/instances/{made}/configuration/diff"

    # when somebody asks what attaching it with another value would do
    body = {"configuration": {"id": group, "values": {"sql_mode": "ANSI"}}}
    answer = api.call("POST", path, body)
    assert answer.status_code == 202, answer.text
    operation = answer.headers["Coffer-Operation-Id"]
    with database.connection_context():
        row = Operation.get_by_id(operation)
        assert row.parameters["coffer_configuration"] == {"max_connections": 5, "sql_mode": "ANSI"}
        assert row.changes == {}

        # then the operation's end tells it, secrets hidden, and the instance is as it was
        leased = lease(operation, "w")
        assert leased
        rows = [
            {"name": "sql_mode", "running": "", "wanted": "ANSI", "restart_required": False},
            {"name": "x_password", "running": "a", "wanted": "b", "restart_required": True},
        ]
        found = {"written": False, "differences": rows}
        end(leased, State.SUCCEEDED, facts={"restart_required": True, "settings": found})
    shown = api.call("GET", f"/operations/{operation}").json["operation"]["result"]["settings"]
    assert shown["differences"][0] == rows[0]
    assert shown["differences"][1]["wanted"] == "********"
    seen = api.call("GET", f"/instances/{made}").json["instance"]
    assert (seen["status"], "configuration" in seen) == ("ACTIVE", False)
    assert api.call("POST", path, {"configuration": {"values": {"nope": 1}}}).status_code == 422
    assert api.call("POST", path).status_code == 202
