"""dbctl's users, grants, passwords and differences of settings, against a real HTTP server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dbctl.main import main
from tests.unit.dbctl_documents import TOKEN
from tests.unit.dbctl_server import Server

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    server = Server()
    monkeypatch.setenv("COFFER_URL", server.url)
    monkeypatch.setenv("COFFER_TOKEN", TOKEN)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    server.coffer.add_instance("db1")
    yield server
    server.stop()


def sent(server: Server) -> Any:
    """The body of the last change."""
    return [body for _, _, body in server.coffer.requests if body][-1]


@pytest.mark.parametrize("preset", [None, "read-only", "app", "admin"])
def test_a_new_user_gets_a_password_that_is_shown_once(
    server: Server, capsys: Capture, preset: str | None
) -> None:
    flags = [f"--{preset}"] if preset else []
    assert main(["user", "create", "db1", "ann", "--database", "shop", *flags]) == 0
    (user,) = sent(server)["users"]
    assert user["databases"] == [{"name": "shop", **({"access": preset} if preset else {})}]
    shown = capsys.readouterr()
    assert shown.out == f"user      ann\npassword  {user['password']}\n"
    assert user["password"] not in shown.err
    assert len(user["password"]) >= 24


def test_a_grant_has_one_preset(server: Server, capsys: Capture) -> None:
    assert main(["user", "grant", "db1", "ann", "shop", "--read-only"]) == 0
    assert sent(server) == {"databases": [{"name": "shop", "access": "read-only"}]}
    with pytest.raises(SystemExit) as wrong:
        main(["user", "grant", "db1", "ann", "shop", "--read-only", "--admin"])
    assert wrong.value.code == 2


@pytest.mark.parametrize("verb", [["password", "rotate"], ["user", "rotate"]])
def test_a_password_is_rotated(server: Server, capsys: Capture, verb: list[str]) -> None:
    assert main([*verb, "db1", "ann", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert sent(server) == {"user": {"password": document["password"]}}


def test_several_users_are_deleted_in_one_operation(server: Server) -> None:
    assert main(["user", "delete", "db1", "ann", "b@b@10.%", "--yes"]) == 0
    keys = [{"name": "ann", "host": "%"}, {"name": "b@b", "host": "10.%"}]
    assert sent(server) == {"users": keys}


def test_a_list_says_what_may_be_done_and_how_old_it_is(server: Server, capsys: Capture) -> None:
    grants = [{"name": "shop", "access": "app"}, {"name": "all"}]
    server.coffer.users = [{"name": "ann", "host": "%", "databases": grants}]
    server.coffer.age = 9
    assert main(["user", "list", "db1"]) == 0
    shown = capsys.readouterr()
    assert "shop (app), all" in shown.out
    assert shown.err == ""
    server.coffer.age = 300
    assert main(["user", "list", "db1"]) == 0
    assert "last heard 5 minutes ago" in capsys.readouterr().err


def test_differences_of_settings(server: Server, capsys: Capture) -> None:
    row = {"name": "wait_timeout", "running": "5", "wanted": "7", "restart_required": False}
    server.coffer.found = {"written": False, "differences": [row]}
    assert main(["configuration", "diff", "db1"]) == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines()[1].split() == ["db1", "wait_timeout", "5", "7", "at", "once"]
    assert "not as it was written" in shown.err
    assert sent(server) == {"configuration": {"values": {}}}
    assert main(["configuration", "diff", "db1", "wait_timeout=7", "--detached", "--json"]) == 0
    assert sent(server) == {"configuration": {"values": {"wait_timeout": 7}, "id": None}}
    told = json.loads(capsys.readouterr().out)
    assert told == {"differences": [{"instance": "db1", **row}]}
    assert main(["configuration", "diff"]) == 2
