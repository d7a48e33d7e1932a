"""dbctl instance and operation, against a real HTTP server."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dbctl.main import main
from tests.unit.dbctl_documents import TOKEN, steps
from tests.unit.dbctl_server import Script, Server

CREATE = ["instance", "create", "mysql", "db1", "--flavor", "small", "--volume", "2"]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    server = Server()
    monkeypatch.setenv("COFFER_URL", server.url)
    monkeypatch.setenv("COFFER_TOKEN", TOKEN)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield server
    server.stop()


def sent(server: Server, method: str = "POST") -> list[Any]:
    return [body for verb, _, body in server.coffer.requests if verb == method]


def test_create_waits_and_ends_with_a_connection_string(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*CREATE, "--version", "9.7", "--user", "app"]) == 0
    out, err = capsys.readouterr()
    wanted = sent(server)[0]["instance"]
    password = wanted["users"][0].pop("password")
    assert wanted == {
        "name": "db1",
        "flavorRef": "small",
        "volume": {"size": 2},
        "datastore": {"type": "mysql", "version": "9.7"},
        "databases": [{"name": "app"}],
        "users": [{"name": "app", "databases": [{"name": "app"}]}],
    }
    assert len(password) >= 24
    assert out == f"mysql://app:{password}@10.77.0.9:3306/app?ssl-mode=VERIFY_IDENTITY\n"
    assert "ok       engine_mysql: Start MySQL (0.5 s)" in err
    assert "dbctl connect db1" in err
    assert password not in err


def test_generated_passwords_differ_and_satisfy_policies() -> None:
    from dbctl.password import generate

    made = {generate() for _ in range(200)}
    assert len(made) == 200
    for password in made:
        assert password[0].isalnum()
        assert any(char in "-_" for char in password)
        assert any(char.isupper() for char in password)
        assert any(char.isdigit() for char in password)


def test_create_with_databases_but_no_user(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*CREATE, "--database", "one", "--database", "two"]) == 0
    assert sent(server)[0]["instance"]["databases"] == [{"name": "one"}, {"name": "two"}]
    assert capsys.readouterr().out == "mysql://10.77.0.9:3306/?ssl-mode=VERIFY_IDENTITY\n"


def test_create_json_has_user_password_and_connection(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*CREATE, "--user", "a@b", "--database", "d", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    password = document["user"]["password"]
    assert document["operation"]["state"] == "succeeded"
    assert document["connection"]["uri"].startswith(f"mysql://a%40b:{password}@10.77.0.9:3306/d?")


def test_create_no_wait_tells_the_password(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*CREATE, "--user", "app", "--no-wait"]) == 0
    out, err = capsys.readouterr()
    password = sent(server)[0]["instance"]["users"][0]["password"]
    assert out == f"user      app\npassword  {password}\n"
    assert f"dbctl operation watch {server.coffer.operations[0]['id']}" in err


def test_create_failure_says_step_reason_and_next_command(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.coffer.next_script = Script(
        events=steps(("ok", "ok", "failed")),
        end="failed",
        failing_task="Start MySQL",
        reason="mysqld: no space\x1b[2J left",
    )
    assert main([*CREATE, "--user", "app"]) == 1
    out, err = capsys.readouterr()
    operation = server.coffer.operations[0]
    assert "failed at step 'Start MySQL'" in err
    assert "mysqld: no space�[2J left" in err
    assert f"dbctl operation retry {operation['id']}" in err
    assert out.startswith("user      app\npassword  ")
    assert main(["operation", "retry", operation["id"][:8], "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["operation"]["state"] == "succeeded"
    assert err.count("Start MySQL") == 1


def test_create_refused_by_the_api(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = ["instance", "create", "mysql", "db1", "--flavor", "huge", "--volume", "1"]
    assert main(wanted) == 1
    assert capsys.readouterr() == ("", "dbctl: There is no flavor huge.\n")


def test_timeout_leaves_the_operation_running(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.coffer.next_script = Script(end=None)
    assert main([*CREATE, "--timeout", "0.1s"]) == 4
    assert "still running after 0.1 s" in capsys.readouterr().err


@pytest.mark.parametrize("bad", ["0", "-1", "ten", "1.5"])
def test_volume_must_be_whole_gigabytes(bad: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["instance", "create", "mysql", "x", "--flavor", "small", "--volume", bad])


def test_password_from_a_file_is_not_told_again(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "password"
    file.write_text("p@ss/wörd\n")
    file.chmod(0o600)
    assert main([*CREATE, "--user", "app", "--password-file", str(file), "--no-wait"]) == 0
    out, err = capsys.readouterr()
    assert sent(server)[0]["instance"]["users"][0]["password"] == "p@ss/wörd"
    assert (out, "warning" in err) == ("", False)


def test_given_password_is_percent_encoded(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("p@ss/{user}\nsecond line\n"))
    assert main([*CREATE, "--user", "app", "--password-file", "-"]) == 0
    assert "mysql://app:p%40ss%2F%7Buser%7D@10.77.0.9" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--password-file", "x"], "needs a --user"),
        (["--user", "u", "--password-file", "/nonexistent"], "cannot read the password"),
        (["--user", "u", "--password-file", "/dev/null"], "is empty"),
        (["--user", "u", "--password-prompt"], "no terminal"),
    ],
)
def test_bad_password_sources(
    server: Server,
    arguments: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main([*CREATE, *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not server.coffer.requests


def test_waiting_survives_a_restart_of_the_api(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    def restart() -> None:
        server.stop()
        time.sleep(1.0)
        server.start()

    def once() -> None:
        server.coffer.on_events = lambda: None
        threading.Thread(target=restart).start()
        time.sleep(0.2)

    server.coffer.on_events = once
    assert main([*CREATE, "--user", "app"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("mysql://app:")
    assert "The API does not answer" in err
    assert "The API answers again." in err
    assert err.count("Start MySQL") == 1


def test_delete_by_name_with_yes(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.coffer.add_instance("db1")
    made = {"id": "b-1", "name": "nightly", "size": 0.1, "created": "2026-11-22T10:15:30"}
    server.coffer.backups = [made, made | {"id": "b-2", "size": None}]
    assert main(["instance", "delete", "db1", "--yes"]) == 0
    assert not server.coffer.instances
    said = capsys.readouterr().err
    assert "db1 is deleted." in said
    assert "Its backups remain: 1." in said
    assert "b-1  nightly  2026-11-22 10:15:30 UTC" in said


def test_delete_without_a_terminal_needs_yes(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    server.coffer.add_instance("db1")
    assert main(["instance", "delete", "db1"]) == 2
    assert "--yes" in capsys.readouterr().err
    assert server.coffer.instances


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        (["restart", "db1"], {"restart": {}}),
        (["resize", "db1", "--volume", "5"], {"resize": {"volume": {"size": 5}}}),
        (["resize", "db1", "--flavor", "large"], {"resize": {"flavorRef": "large"}}),
    ],
)
def test_actions_wait_for_their_operation(
    server: Server, arguments: list[str], body: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    server.coffer.add_instance("db1")
    assert main(["instance", *arguments]) == 0
    assert sent(server) == [body]
    assert "Prove that it reads and writes" in capsys.readouterr().err


def test_no_wait_action_as_json(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.coffer.add_instance("db1")
    assert main(["instance", "restart", "db1", "--no-wait", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["operation"]["state"] == "queued"


def test_abort_waits_until_it_has_stopped(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.coffer.next_script = Script(end=None)
    row = server.coffer.add_instance("db1")
    server.coffer.add_operation("instance_restart", row)
    assert main(["operation", "abort", "db1"]) == 0
    assert "aborted" in capsys.readouterr().err
    assert main(["operation", "watch", "db1"]) == 1


def test_what_the_service_itself_does_is_told(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    common = {"attempt": 1, "play": "", "task": "", "role": None, "host": None, "seconds": None}
    undoing = common | {"state": "started", "message": "undoing: instance_delete"}
    script = Script(events=[*steps(("ok", "failed")), undoing, *steps(("ok",))], end="failed")
    server.coffer.next_script = script
    server.coffer.add_operation("instance_create", server.coffer.add_instance("db1"))
    assert main(["operation", "watch", "db1"]) == 1
    assert "undoing: instance_delete\n" in capsys.readouterr().err
    assert main(["operation", "show", "db1"]) == 0
    assert "coffer         undoing: instance_delete" in capsys.readouterr().out


def test_operation_show_lists_the_steps_of_the_last_attempt(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.coffer.next_script = Script(events=steps(("ok", "unreachable")) + steps(attempt=2))
    operation = server.coffer.add_operation("instance_create", {"id": "i", "name": "db1"})
    operation["attempt"] = 2
    assert main(["operation", "show", "db1"]) == 0
    out = capsys.readouterr().out
    assert "attempt   2 of 3" in out
    assert out.count("Create the guest") == 1
    assert "unreachable" not in out
