"""What a person does every day, on every engine: accounts, root, settings, restart, resize."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.e2e.engines import Served, make_group, part
from tests.e2e.waiting import wait_for
from tests.roles.engine_clients import RefusedError

SPECIAL = " '\"`%@\\/;:{}[]()$<>&|#,.-_äßλ漢🦀\u200d\u0301\t\n\0"
LETTERS = st.one_of(st.sampled_from(SPECIAL), st.sampled_from("aZ9"), st.characters(codec="utf-8"))
FRAGMENTS = st.sampled_from(
    ["'; DROP TABLE mysql.user; --", "{{ 7*7 }}", "$(id)", "{$ne: 1}", "%", "`", "\\'", "a@b"]
)
TEXTS = st.one_of(FRAGMENTS, st.text(LETTERS, min_size=1, max_size=24))


@pytest.fixture(autouse=True)
def _only_app(served: Served) -> Iterator[None]:
    """A test that fails leaves no users to the next one."""
    yield
    extra = [row for row in served.do("GET", "/users")["users"] if row["name"] != "app"]
    if extra:
        served.do("DELETE", "/users", {"users": extra})


def test_it_answers_over_verified_tls_alone(served: Served) -> None:
    row = served.coffer.healthy(served.guest.id)
    assert row["datastore"]["type"] == served.engine.data["engine"]
    assert row["ip"] == [served.guest.address]
    assert served.sees("app", served.guest.password, write=True) == {"app"}
    with pytest.raises(RefusedError):
        served.client.databases(served.guest.address, "app", served.guest.password, None)


def test_databases_users_and_grants(served: Served) -> None:
    # given databases and users whose names are anything
    data = served.engine.data
    databases = [row for row in data["databases"] if row["name"] != "app"]
    users = [row for row in data["users"] if row["name"] != "app"]
    served.do("POST", "/databases", {"databases": databases})
    served.do("POST", "/users", {"users": users})

    # then they are listed as they were asked for, and each can do what it may
    listed = {row["name"] for row in served.do("GET", "/databases")["databases"]}
    assert listed == {row["name"] for row in data["databases"]}
    by_name = {row["name"]: row for row in served.do("GET", "/users")["users"]}
    assert set(by_name) == {row["name"] for row in data["users"]}
    for user in users:
        key = f"{user['name']}@{user.get('host', '%')}"
        assert served.do("GET", f"/users/{part(key)}")["user"] == by_name[user["name"]]
        assert by_name[user["name"]]["databases"] == user["databases"]
        if "host" in user:
            assert not served.enters(user["name"], user["password"])
            continue
        seen = served.sees(user["name"], user["password"])
        assert seen == {row["name"] for row in user["databases"]}

    # when one is granted a database, given another password, and loses the database
    name, odd = users[0]["name"], databases[-1]["name"]
    place = f"/users/{part(name)}@%25"
    served.do("PUT", f"{place}/databases", {"databases": [{"name": "app"}]})
    assert served.sees(name, users[0]["password"], write=True) == {"app", odd}
    served.do("PUT", place, {"user": {"password": "another one"}})
    assert not served.enters(name, users[0]["password"])
    served.do("DELETE", f"{place}/databases/{part(odd)}")
    assert served.sees(name, "another one") == {"app"}

    # when all are deleted, then nobody comes in any more
    keys = [{"name": row["name"], "host": row.get("host", "%")} for row in users]
    served.do("DELETE", "/users", {"users": keys})
    assert [row["name"] for row in served.do("GET", "/users")["users"]] == ["app"]
    assert not served.enters(name, "another one")
    for row in databases:
        served.do("DELETE", f"/databases/{part(row['name'])}")
    assert served.sees("app", served.guest.password) == {"app"}


def test_root(served: Served) -> None:
    assert served.do("GET", "/root") == {"rootEnabled": False}
    user = served.do("POST", "/root")["user"]
    assert served.enters(user["name"], user["password"])
    assert served.do("POST", "/root", {"password": "ro'ot"})["user"]["password"] == "ro'ot"
    assert served.enters("root", "ro'ot")
    assert not served.enters("root", user["password"])
    served.do("DELETE", "/root")
    assert not served.enters("root", "ro'ot")
    assert served.do("GET", "/root") == {"rootEnabled": False}


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(wanted=st.lists(st.tuples(TEXTS, TEXTS), min_size=12, max_size=12))
def test_generated_names_and_passwords(served: Served, wanted: list[tuple[str, str]]) -> None:
    """Each is refused with 400 and its place, or can log in."""
    users = [{"name": f"{n}x{name}", "password": word} for n, (name, word) in enumerate(wanted)]
    answer = served.send("POST", "/users", {"users": users})
    while answer.status == 400:
        message = answer.document["badRequest"]["message"]
        assert message.startswith("users["), message
        del users[int(message[6:].split("]")[0])]
        if not users:
            return
        answer = served.send("POST", "/users", {"users": users})
    assert answer.status == 202, answer
    ended = served.coffer.ended(answer.operation)
    assert ended["state"] == "succeeded", (ended, users)
    listed = {row["name"] for row in served.do("GET", "/users")["users"]}
    assert listed == {"app", *(user["name"] for user in users)}
    refused = [user for user in users if not served.enters(user["name"], user["password"])]
    assert refused == []
    keys = [{"name": user["name"]} for user in users]
    served.do("DELETE", "/users", {"users": keys})


def test_two_hundred_users(served: Served) -> None:
    # given 200 users of one request
    users = [{"name": f"u{n:03}", "password": f"pass'{n}"} for n in range(200)]
    served.do("POST", "/users", {"users": users})

    # then pages of the list have them all, and each can log in
    seen, path = [], "/users?limit=50"
    while path:
        page = served.do("GET", path)
        seen += [row["name"] for row in page["users"]]
        following = page.get("links", [{"href": ""}])[0]["href"]
        path = following.partition(served.path)[2]
    assert seen == ["app", *(user["name"] for user in users)]
    with ThreadPoolExecutor(4) as pool:
        entered = list(pool.map(lambda user: served.enters(user["name"], user["password"]), users))
    assert all(entered)

    # when one, then the others are deleted, then they are gone
    served.do("DELETE", "/users/u000")
    served.do("DELETE", "/users", {"users": [{"name": user["name"]} for user in users[1:]]})
    assert [row["name"] for row in served.do("GET", "/users")["users"]] == ["app"]
    assert not served.enters("u199", "pass'199")


def assert_shows(served: Served, lines: list[list[str]]) -> None:
    assert served.shown(lines) == lines


def test_configuration_group(served: Served) -> None:
    # given a group, when it is attached, then what can change at once has changed
    engine, guest, coffer = served.engine.data["engine"], served.guest, served.coffer
    first, second, *_ = served.engine.data["parameters"]
    group = make_group(coffer, served.engine, f"of-{engine}", first["values"])
    foreseen = served.differences("--configuration", group)
    assert set(foreseen) == set(first["values"])
    coffer.dbctl("configuration", "attach", guest.name, group)
    assert_shows(served, first["shows"])
    assert coffer.api.instance(guest.id)["status"] == "RESTART_REQUIRED"

    # when the engine is restarted, then so has the rest
    coffer.dbctl("instance", "restart", guest.name)
    assert_shows(served, first["after_restart"])
    assert coffer.healthy(guest.id)["configuration"]["id"] == group
    assert served.differences() == {}

    # when somebody changes a setting by hand, then it is found, on all that have the group too
    hand = served.engine.data["drift"]
    guest.shell(hand["change"])
    drifted = served.differences()
    assert {name: row["running"] for name, row in drifted.items()} == {
        hand["parameter"]: hand["runs"]
    }
    of_all = coffer.ask("configuration", "diff", "--configuration", group)["differences"]
    assert [(row["instance"], row["name"]) for row in of_all] == [(guest.name, hand["parameter"])]

    # when the group is set once more, then the recorded settings are back
    coffer.dbctl("configuration", "set", group)
    wait_for("the settings", lambda: served.differences() == {})

    # when the group gets other values, then the instance follows, and defaults are back
    answer = coffer.api.send(
        "PUT",
        f"/configurations/{group}",
        {"configuration": {"values": second["values"]}},
    )
    assert coffer.ended(answer.operation)["state"] == "succeeded"
    assert_shows(served, second["shows"])

    # when it is detached and the engine restarted, then all is as before
    coffer.dbctl("configuration", "detach", guest.name)
    coffer.dbctl("instance", "restart", guest.name)
    assert_shows(served, served.engine.data["parameters"][-1].get("after_restart", []))
    assert "configuration" not in coffer.healthy(guest.id)
    coffer.dbctl("configuration", "delete", group, "--yes")


def test_restart_and_resize_keep_the_data(served: Served) -> None:
    guest, coffer = served.guest, served.coffer
    rows, process = served.keep(), pidfile(served)

    # when it is restarted, then another process has the data
    coffer.dbctl("instance", "restart", guest.name)
    assert pidfile(served) != process
    assert served.keep() == rows + 1

    # when volume and flavor grow, then guest and engine have the new sizes and the data
    coffer.dbctl("instance", "resize", guest.name, "--volume", "2")
    place = served.engine.catalogue["data_directory"]
    size = guest.shell(f"df --block-size=1G --output=size {place} | tail -1").stdout
    assert int(size) == 2
    coffer.dbctl("instance", "resize", guest.name, "--flavor", "medium")
    assert guest.memory_limit() == 2 * 1024**3
    assert_shows(served, [[line[0], line[2]] for line in served.engine.data["sized"][:1]])
    assert served.keep() == rows + 2
    wait_for("health", lambda: coffer.healthy(guest.id))


def pidfile(served: Served) -> Any:
    return served.guest.shell(f"cat {served.engine.catalogue['pidfile']}").stdout
