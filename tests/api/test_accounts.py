"""Databases, users and root through the API: observed lists, refusals, what reaches the worker."""

import threading
import time
from typing import Any

import falcon.testing
import pytest
from cryptography.fernet import Fernet

from api.raw_path import keep_encoded_slashes
from coffer.database import database
from coffer.models import Instance, Operation, Secret
from coffer.secrets import Vault


@pytest.fixture
def made(api: Any, wish: Any) -> str:
    """A ready instance with database `app` and user `u@%`."""
    made = str(api.call("POST", "/instances", wish).json["instance"]["id"])
    with database.connection_context():
        Operation.update(state="succeeded", lock=None).execute()
        Secret.delete().execute()
        Instance.update(
            state="ACTIVE",
            task=None,
            operating_status="HEALTHY",
            compute={"address": "10.0.0.9"},
            observed={
                "databases": [{"name": "app"}],
                "users": [{"name": "u", "host": "%", "databases": [{"name": "app"}]}],
            },
        ).execute()
    return f"/instances/{made}"


def sent(api: Any) -> dict[str, Any]:
    """The variables that the newest operation hands to its playbook."""
    vault = Vault.from_file(api.services.settings.key_file)
    with database.connection_context():
        operation = Operation.select().order_by(Operation.created.desc()).get()
        stored: dict[str, Any] = vault.all(operation.instance)[f"operation:{operation.id}"]
        return stored


def test_lists_are_answered_from_the_records(api: Any, made: str) -> None:
    assert api.call("GET", f"{made}/databases").json == {"databases": [{"name": "app"}]}
    users = api.call("GET", f"{made}/users").json["users"]
    assert users == [{"name": "u", "host": "%", "databases": [{"name": "app"}]}]
    assert api.call("GET", f"{made}/users/u").json["user"] == users[0]
    assert api.call("GET", f"{made}/users/u@%25").json["user"] == users[0]
    assert api.call("GET", f"{made}/users/u/databases").json == {"databases": [{"name": "app"}]}
    assert api.call("GET", f"{made}/users/nobody").status_code == 404


HOSTILE = [
    "a'b",
    'q"x',
    "per%cent",
    "a b",
    "`tick`",
    "{{ 7*7 }}",
    "$(id)",
    "; DROP TABLE x",
    "naïve",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_reach_the_worker_unchanged(api: Any, made: str, name: str) -> None:
    body = {"users": [{"name": name, "password": name + "\n😀", "databases": [{"name": name}]}]}
    answer = api.call("POST", f"{made}/users", body)
    assert (answer.status_code, answer.text) == (202, "")
    (user,) = sent(api)["coffer_users"]
    assert (user["name"], user["password"]) == (name, name + "\n😀")
    assert api.call("POST", f"{made}/databases", {"databases": [{"name": name}]}).status_code == 202
    assert sent(api)["coffer_databases"][0]["name"] == name


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "word"),
    [
        ("POST", "/databases", {"databases": [{"name": "app"}]}, 400, "exists"),
        ("POST", "/databases", {"databases": [{"name": "mysql"}]}, 400, "reserved"),
        ("POST", "/databases", {"databases": [{"name": "x" * 65}]}, 400, "64"),
        ("POST", "/databases", {"databases": [{"name": "x\ny"}]}, 400, "cannot be seen"),
        ("POST", "/databases", {}, 400, "databases"),
        ("POST", "/databases", {"databases": [{"name": "a"}, {"name": "a"}]}, 400, "twice"),
        ("DELETE", "/databases/none", None, 404, "none"),
        ("DELETE", "/databases/sys", None, 400, "reserved"),
        ("GET", "/databases/app", None, 501, "list"),
        ("POST", "/users", {"users": [{"name": "u", "password": "p"}]}, 400, "exists"),
        ("POST", "/users", {"users": [{"name": "x"}]}, 400, "password"),
        ("POST", "/users", {"users": [{"name": "root", "password": "p"}]}, 400, "reserved"),
        ("POST", "/users", {"users": [{"name": "x" * 33, "password": "p"}]}, 400, "32"),
        (
            "POST",
            "/users",
            {"users": [{"name": "x", "password": "p", "host": "a b"}]},
            400,
            "host",
        ),
        ("PUT", "/users", {"users": [{"name": "none", "password": "p"}]}, 404, "none"),
        ("PUT", "/users/u", {"user": {}}, 400, "at least one"),
        ("PUT", "/users/u", {"user": {"name": "root"}}, 400, "reserved"),
        ("DELETE", "/users/none", None, 404, "none"),
        ("DELETE", "/users/u/databases/none", None, 404, "none"),
        ("DELETE", "/root", None, 404, "root"),
    ],
)
def test_refusals(
    api: Any, made: str, method: str, path: str, body: Any, status: int, word: str
) -> None:
    answer = api.call(method, made + path, body)
    assert answer.status_code == status, answer.text
    assert word in answer.text


def test_operations_on_accounts_wait_for_each_other(api: Any, made: str) -> None:
    for number in range(3):
        body = {"databases": [{"name": f"d{number}"}]}
        assert api.call("POST", f"{made}/databases", body).status_code == 202
    with database.connection_context():
        locked = [row.lock is not None for row in Operation.select().order_by(Operation.created)]
    assert locked[-3:] == [True, False, False]
    assert api.call("GET", made).json["instance"]["status"] == "ACTIVE"


def test_single_objects_as_openstacksdk_sends_them(api: Any, made: str) -> None:
    assert api.call("POST", f"{made}/databases", {"database": {"name": "d"}}).status_code == 202
    body = {"users": {"name": "ann", "password": "p"}}
    assert api.call("POST", f"{made}/users/ann", body).status_code == 202


def finish_soon(facts: dict[str, Any]) -> threading.Thread:
    """As a worker would, a moment later."""

    def work() -> None:
        from coffer.lifecycle import end, lease
        from coffer.operations import State

        with database.connection_context():
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                row = Operation.get_or_none(Operation.state == "queued")
                leased = lease(row.id, "w") if row else None
                if leased:
                    end(leased, State.SUCCEEDED, facts=facts)
                    return
                time.sleep(0.02)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_root_is_enabled_when_it_is_answered(api: Any, made: str) -> None:
    assert api.call("GET", f"{made}/root").json == {"rootEnabled": False}
    worker = finish_soon({})
    answer = api.call("POST", f"{made}/root")
    worker.join()
    assert answer.status_code == 200, answer.text
    assert answer.json["user"]["name"] == "root"
    assert len(answer.json["user"]["password"]) >= 24
    assert api.call("GET", f"{made}/root").json == {"rootEnabled": True}
    worker = finish_soon({})
    assert api.call("DELETE", f"{made}/root").status_code == 204
    worker.join()
    assert api.call("GET", f"{made}/root").json == {"rootEnabled": False}
    with database.connection_context():
        assert not [row for row in Secret.select() if row.name.startswith("operation:")]


def test_a_grant_is_done_when_it_is_answered(api: Any, made: str) -> None:
    fresh = [{"name": "u", "host": "%", "databases": [{"name": "app"}, {"name": "b"}]}]
    worker = finish_soon({"users": fresh})
    answer = api.call("PUT", f"{made}/users/u/databases", {"databases": [{"name": "b"}]})
    worker.join()
    assert answer.status_code == 202
    found = api.call("GET", f"{made}/users/u/databases").json["databases"]
    assert found == [{"name": "app"}, {"name": "b"}]


def test_pages_of_users_with_double_encoded_markers(api: Any, made: str) -> None:
    users = [{"name": f"u{n}", "host": "%", "databases": []} for n in range(5)]
    with database.connection_context():
        Instance.update(observed={"users": users}).execute()
    page = api.call("GET", f"{made}/users", query_string="limit=2").json
    assert [row["name"] for row in page["users"]] == ["u0", "u1"]
    (link,) = page["links"]
    assert page["users_links"] == page["links"]
    assert link["href"].endswith("marker=u1%2540%2525")
    seen = [row["name"] for row in page["users"]]
    while "links" in page:
        # As troveclient does: decode once, paste into the next URL.
        marker = page["links"][0]["href"].split("marker=")[1].replace("%25", "%")
        page = api.call("GET", f"{made}/users", query_string=f"limit=2&marker={marker}").json
        seen += [row["name"] for row in page["users"]]
    assert seen == [row["name"] for row in users]


def test_links_may_be_followed_as_they_are(api: Any, made: str) -> None:
    """As openstacksdk does."""
    users = [{"name": f"u{n}", "host": "%", "databases": []} for n in range(5)]
    with database.connection_context():
        Instance.update(observed={"users": users}).execute()
    query, seen = "limit=2", []
    while query:
        page = api.call("GET", f"{made}/users", query_string=query).json
        seen += [row["name"] for row in page["users"]]
        query = page["links"][0]["href"].partition("?")[2] if "links" in page else ""
    assert seen == [row["name"] for row in users]


def test_a_grant_has_a_kind_of_access(api: Any, made: str) -> None:
    body = {
        "users": [
            {
                "name": "x",
                "password": "p",
                "databases": [{"name": "app", "access": "read-only"}, {"name": "b"}],
            }
        ]
    }
    assert api.call("POST", f"{made}/users", body).status_code == 202
    assert sent(api)["coffer_users"][0]["databases"] == body["users"][0]["databases"]  # type: ignore[index]
    body["users"][0]["databases"] = [{"name": "app", "access": "owner"}]
    refused = api.call("POST", f"{made}/users", body)
    assert (refused.status_code, "users[0].databases[0].access" in refused.text) == (400, True)


def test_lists_tell_the_kind_of_access(api: Any, made: str) -> None:
    databases = [{"name": "app", "access": "read-only"}, {"name": "b"}]
    with database.connection_context():
        row = {"name": "u", "host": "%", "databases": databases}
        Instance.update(observed={"users": [row]}).execute()
    assert api.call("GET", f"{made}/users/u").json["user"]["databases"] == databases
    assert api.call("GET", f"{made}/users/u/databases").json == {"databases": databases}


def test_several_users_are_deleted_at_once(api: Any, made: str) -> None:
    assert api.call("DELETE", f"{made}/users", {"users": [{"name": "u"}]}).status_code == 202
    assert sent(api)["coffer_users"] == [{"name": "u", "host": "%", "state": "absent"}]
    body = {"users": [{"name": "u"}, {"name": "none"}]}
    assert api.call("DELETE", f"{made}/users", body).status_code == 404
    assert api.call("DELETE", f"{made}/users", {"users": []}).status_code == 400


def test_a_silent_guest_is_still_read(api: Any, made: str) -> None:
    """What it said last, however long ago; but nothing can be changed."""
    with database.connection_context():
        Instance.update(operating_status="ERROR").execute()
    assert api.call("GET", f"{made}/databases").json == {"databases": [{"name": "app"}]}
    assert api.call("GET", f"{made}/root").status_code == 200
    assert api.call("DELETE", f"{made}/users/u").status_code == 422
    with database.connection_context():
        Instance.update(state="BUILD", task="BUILD").execute()
    assert api.call("GET", f"{made}/databases").status_code == 422


def test_a_slash_in_a_name(api: Any, made: str) -> None:
    """As gunicorn hands it over: decoded, and raw beside it."""
    with database.connection_context():
        Instance.update(
            observed={"users": [{"name": "a/b", "host": "%", "databases": []}]}
        ).execute()
    client = falcon.testing.TestClient(keep_encoded_slashes(api.client.app))
    answer = client.simulate_get(
        f"/v1.0/p1{made}/users/a/b",
        headers={"X-Auth-Token": api.tokens["member"]},
        extras={"RAW_URI": f"/v1.0/p1{made}/users/a%2Fb?x=1"},
    )
    assert answer.json["user"]["name"] == "a/b"


def test_a_key_opens_only_its_own_records(api: Any) -> None:
    with pytest.raises(ValueError, match="key_file"):
        Vault([])
    assert Vault([Fernet.generate_key().decode()])
