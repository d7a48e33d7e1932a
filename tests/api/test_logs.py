"""Logs of instances through the API; what a guest would bring is brought by hand."""

import base64
import gzip
from typing import Any

import pytest

from coffer import log_ends
from coffer.clock import utcnow
from coffer.database import database
from coffer.inventory import Inventory
from coffer.lifecycle import end, lease
from coffer.log_ends import sealed_piece
from coffer.models import Configuration, GuestLog, Instance, LogPiece, Operation
from coffer.operations import State
from coffer.secrets import Vault


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.resources.logs.WAIT", 0.0)


@pytest.fixture
def made(api: Any, wish: Any) -> str:
    key = api.call("POST", "/instances", wish).json["instance"]["id"]
    with database.connection_context():
        Operation.update(state=State.SUCCEEDED, lock=None).execute()
        Instance.update(
            state="ACTIVE", task=None, operating_status="HEALTHY", compute={"server_id": "s"}
        ).execute()
    return str(key)


def act(api: Any, made: str, name: str, **flags: int) -> Any:
    return api.call("POST", f"/instances/{made}/log", {"name": name, **flags})


def packed(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode())).decode()


def finish(api: Any, text: str = "", **more: Any) -> Operation:
    """End the newest operation as a worker does that read `text`."""
    vault = Vault.from_file(api.services.settings.key_file)
    with database.connection_context():
        newest = Operation.select().order_by(Operation.created.desc()).get()
        running = lease(newest.id, "test")
        assert running is not None
        read = {"file": "7", "position": "10", "size": "10", "content": packed(text), **more}
        facts = {"log": read} if newest.kind == "log_read" else {}
        end(running, State.SUCCEEDED, facts=sealed_piece(vault, facts))
        row: Operation = Operation.get_by_id(newest.id)
    return row


def publish(api: Any, made: str, text: str, name: str = "error") -> Operation:
    assert act(api, made, name, publish=1).status_code == 200
    return finish(api, text)


def content(api: Any, made: str, query: str = "", name: str = "error") -> Any:
    return api.call("GET", f"/instances/{made}/log/{name}{query}").json["log"]


def test_the_logs_of_an_engine(api: Any, made: str) -> None:
    rows = api.call("GET", f"/instances/{made}/log").json["logs"]
    assert [(row["name"], row["type"], row["status"]) for row in rows] == [
        ("error", "SYS", "Enabled"),
        ("slow_query", "USER", "Disabled"),
        ("general", "USER", "Disabled"),
    ]
    assert rows[0]["container"] == rows[0]["prefix"] == rows[0]["metafile"] == "None"
    assert (rows[0]["published"], rows[0]["pending"]) == (0, 0)
    assert "every statement" in rows[2]["warning"]
    assert act(api, made, "general").json["log"] == rows[2]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"name": "no such"}, 404),
        ({"name": "no such", "publish": 1}, 404),
        ({"name": "no such", "discard": 1}, 404),
        ({"name": "error", "enable": 1, "disable": 1}, 400),
        ({"name": "error", "disable": 1}, 400),
        ({"name": "error", "publish": "yes"}, 400),
        ({"name": "error", "publish": 2}, 400),
    ],
)
def test_refusals(api: Any, made: str, body: Any, status: int) -> None:
    assert api.call("POST", f"/instances/{made}/log", body).status_code == status


def test_a_switch_is_settings_of_the_engine(api: Any, made: str) -> None:
    answer = act(api, made, "general", enable=True)
    assert (answer.status_code, answer.json["log"]["status"]) == (200, "Disabled"), "not yet"
    row = finish(api)
    assert (row.kind, row.changes) == ("log_switch", {"logs": {"general": True}})
    assert act(api, made, "general").json["log"]["status"] == "Enabled"
    assert "Coffer-Operation-Id" not in act(api, made, "general", enable=1).headers, "it is on"
    inventory = Inventory(api.services.settings, api.services.catalogue)
    with database.connection_context():
        instance = Instance.get_by_id(made)
        assert inventory.host_vars(instance)["coffer_log_settings"] == {"general_log": True}
        wanted = {"logs": {"general": False, "slow_query": True}}
        settings = inventory.host_vars(instance, wanted)["coffer_log_settings"]
    assert settings == {"general_log": False, "slow_query_log": True}


def test_two_switches_at_once(api: Any, made: str) -> None:
    act(api, made, "general", enable=1)
    act(api, made, "slow_query", enable=1)
    with database.connection_context():
        newest = Operation.select().order_by(Operation.created.desc()).get()
        assert newest.changes == {"logs": {"general": True, "slow_query": True}}


def test_the_configuration_group_decides(api: Any, made: str) -> None:
    with database.connection_context():
        instance = Instance.get_by_id(made)
        group = Configuration.create(
            project_id="p1", name="g", version=instance.version_id, values={"general_log": True}
        )
        Instance.update(configuration=group).execute()
    assert act(api, made, "general").json["log"]["enabled"] is True
    refused = act(api, made, "general", disable=1)
    assert refused.status_code == 422
    assert "'g' sets general_log" in refused.text


def test_what_is_read_is_kept_encrypted(api: Any, made: str) -> None:
    row = publish(api, made, "one password\ntwo\n")
    assert row.parameters["coffer_log"]["path"] == "/var/log/mysql/error.log"
    assert row.result == {"log": {"name": "error", "start": 0, "end": 17}}
    with database.connection_context():
        assert "password" not in LogPiece.get().content
        assert "password" not in str(Operation.select().dicts().get())
    found = content(api, made)
    assert found == {"name": "error", "offset": 0, "next": 17, "content": "one password\ntwo\n"}
    log = act(api, made, "error").json["log"]
    assert (log["status"], log["published"]) == ("Published", 17)
    second = publish(api, made, "three\n")
    assert second.parameters["coffer_log"] | {"limit": 0} == {
        "name": "error",
        "path": "/var/log/mysql/error.log",
        "match": "",
        "file": 7,
        "position": 10,
        "limit": 0,
    }
    assert content(api, made, "?offset=17")["content"] == "three\n"
    assert content(api, made, "?offset=23") == {
        "name": "error", "offset": 23, "next": 23, "content": ""
    }  # fmt: skip
    assert content(api, made, "?limit=8")["content"] == "three\n", "whole lines"
    assert content(api, made, "?offset=4&limit=12")["content"] == "password\n"


def test_operations_that_read_do_not_pile_up(api: Any, made: str) -> None:
    publish(api, made, "one\n")
    with database.connection_context():
        Operation.update(ended=utcnow() - log_ends.FORGOTTEN * 2).execute()
    publish(api, made, "two\n")
    publish(api, made, "three\n")
    with database.connection_context():
        assert Operation.select().where(Operation.kind == "log_read").count() == 2


def test_only_whole_lines(api: Any, made: str) -> None:
    publish(api, made, "whole\nhal")
    assert content(api, made)["content"] == "whole\n"
    with database.connection_context():
        assert GuestLog.get().position == 7


@pytest.mark.parametrize(
    "nonsense",
    [
        {"content": "%%%"},
        {"content": packed("x")[:-9]},
        {"content": base64.b64encode(b"no gzip").decode()},
        {"file": "x"},
        {"size": str(2**80)},
        {"position": "-1"},
    ],
)
def test_a_guest_that_speaks_nonsense_harms_nobody(api: Any, made: str, nonsense: Any) -> None:
    act(api, made, "error", publish=1)
    assert finish(api, "one\n", **nonsense).state == State.SUCCEEDED
    publish(api, made, "two\n")
    assert content(api, made)["content"].endswith("two\n")


def test_a_bomb_is_cut_off(api: Any, made: str) -> None:
    publish(api, made, "x" * 50 + "\n" + "y" * 10_000_000 + "\n")
    assert content(api, made)["next"] <= log_ends.LIMIT


def test_only_so_much_is_kept(api: Any, made: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_ends, "KEPT", 10)
    for number in range(5):
        publish(api, made, f"line {number}\n")
    found = content(api, made, "?offset=0")
    assert (found["offset"], found["content"]) == (21, "line 3\nline 4\n")


def test_publishing_switches_on_first(api: Any, made: str) -> None:
    act(api, made, "general", publish=1)
    with database.connection_context():
        kinds = [row.kind for row in Operation.select().order_by(Operation.created)]
    assert kinds[1:] == ["log_switch", "log_read"]


def test_discarding_and_deleting(api: Any, made: str) -> None:
    publish(api, made, "one\n")
    assert act(api, made, "error", discard=1).json["log"]["published"] == 0
    assert content(api, made)["content"] == ""
    publish(api, made, "two\n")
    assert content(api, made, "?offset=0")["content"] == "two\n"
    assert api.call("DELETE", f"/instances/{made}").status_code == 202
    finish(api)
    with database.connection_context():
        assert (GuestLog.select().count(), LogPiece.select().count()) == (0, 0)


def test_readers_may_see_which_there_are_and_not_what_is_in_them(api: Any, made: str) -> None:
    for path, status in (("log", 200), ("log/error", 403)):
        answer = api.call("GET", f"/instances/{made}/{path}", role="reader")
        assert answer.status_code == status


def test_a_crashed_engine_can_be_read_and_not_switched(api: Any, made: str) -> None:
    with database.connection_context():
        Instance.update(operating_status="ERROR").execute()
    assert act(api, made, "general", enable=1).status_code == 422
    assert act(api, made, "error", publish=1).status_code == 200
