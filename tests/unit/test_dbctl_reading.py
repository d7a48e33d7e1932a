"""dbctl's lists, names and prefixes, errors and configuration, against a real HTTP server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dbctl.main import main
from dbctl.output import clean
from tests.unit.dbctl_documents import CA, TOKEN
from tests.unit.dbctl_server import Server

ONE = "aaaa1111-0000-4000-8000-000000000001"
TWO = "aaaa2222-0000-4000-8000-000000000002"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    server = Server()
    monkeypatch.setenv("COFFER_URL", server.url)
    monkeypatch.setenv("COFFER_TOKEN", TOKEN)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    yield server
    server.stop()


def test_list_follows_the_pages(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.coffer.page_size = 3
    for number in range(8):
        server.coffer.add_instance(f"db{number}")
    assert main(["instance", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["instances"]
    assert [row["name"] for row in rows] == [f"db{number}" for number in range(8)]


def test_list_is_plain_columns_in_a_pipe(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.coffer.add_instance("evil\x1b[31m\nname", ONE)
    assert main(["instance", "list"]) == 0
    header, line = capsys.readouterr().out.splitlines()
    assert header.split() == ["NAME", "STATUS", "DATASTORE", "FLAVOR", "VOLUME", "ADDRESS", "ID"]
    assert "\x1b" not in line
    assert line.endswith(ONE)
    assert "ACTIVE/HEALTHY" in line


def test_an_empty_list_says_so(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["operation", "list"]) == 0
    assert capsys.readouterr() == ("", "No operations.\n")


@pytest.mark.parametrize(("health", "code"), [("ok", 0), ("warning", 0), ("trouble", 1)])
def test_doctor_fails_for_what_does_not_work(
    server: Server, capsys: pytest.CaptureFixture[str], health: str, code: int
) -> None:
    found = {"part": "gateway", "health": health, "message": "away", "remedy": "start it"}
    server.coffer.checkup = [found]
    assert main(["doctor"]) == code
    out, err = capsys.readouterr()
    assert out.splitlines()[1].split() == ["gateway", health, "away", "start", "it"]
    assert ("gateway" in err) == bool(code)


def test_show_by_id_prefix(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.coffer.add_instance("db1", ONE)
    server.coffer.add_instance("db2", TWO, fault={"message": "disk full", "details": None})
    assert main(["instance", "show", "aaaa2"]) == 0
    out = capsys.readouterr().out
    assert "name       db2\n" in out
    assert "fault      disk full\n" in out


def test_a_name_beats_a_prefix(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.coffer.add_instance("other", ONE)
    server.coffer.add_instance("aaaa", TWO)
    assert main(["instance", "show", "aaaa", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["instance"]["id"] == TWO


@pytest.mark.parametrize("wanted", ["aaaa", "twin"])
def test_ambiguous_names_and_prefixes_list_the_candidates(
    server: Server, wanted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    server.coffer.add_instance("twin", ONE)
    server.coffer.add_instance("twin", TWO)
    assert main(["instance", "delete", wanted, "--yes"]) == 1
    err = capsys.readouterr().err
    assert ONE in err
    assert TWO in err
    assert len(server.coffer.instances) == 2


@pytest.mark.parametrize("wanted", ["nope", "aaa", ONE, "../x", ""])
def test_unknown_instances_exit_with_3(
    server: Server, wanted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    server.coffer.add_instance("db2", TWO)
    assert main(["instance", "show", wanted]) == 3
    assert capsys.readouterr().err.startswith("dbctl: ")


def test_operation_by_the_name_of_its_instance_is_the_newest(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    row = server.coffer.add_instance("db1")
    server.coffer.add_operation("instance_create", row, created="2026-11-22T10:00:00")
    server.coffer.add_operation("instance_restart", row, created="2026-11-22T11:00:00")
    assert main(["operation", "show", "db1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["operation"]["kind"] == "instance_restart"


def test_a_name_that_several_deleted_instances_had_means_the_newest(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    for hour, there in ((11, True), (12, False), (10, False)):
        row = server.coffer.add_instance("db1")
        stamp = f"2026-11-22T{hour}:00:00"
        server.coffer.add_operation("instance_delete", row, created=stamp)
        if not there:
            server.coffer.instances.remove(row)
    assert main(["operation", "show", "db1", "--json"]) == 0
    assert "T11:" in json.loads(capsys.readouterr().out)["operation"]["created"], "it is there"
    server.coffer.instances.clear()
    assert main(["operation", "show", "db1", "--json"]) == 0
    assert "T12:" in json.loads(capsys.readouterr().out)["operation"]["created"]


def test_operation_list_filters(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("db1", "db2"):
        row = server.coffer.add_instance(name)
        server.coffer.add_operation("instance_create", row)
    assert main(["operation", "list", "--instance", "db2", "--state", "queued", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["operations"]
    assert row["instance_name"] == "db2"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("datastore list", "mysql  9.7      9.7       d-1"),
        ("datastore show mysql", "default   9.7"),
        ("datastore version list mysql", "9.7   9.7.4"),
        ("datastore version show mysql 9.7", "exact  9.7.4"),
        ("flavor list", "small  small  1      1024 MB"),
        ("flavor show small", "memory  1024 MB"),
    ],
)
def test_catalogue(
    server: Server, command: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command.split()) == 0
    assert told in capsys.readouterr().out
    assert main([*command.split(), "--json"]) == 0
    assert isinstance(json.loads(capsys.readouterr().out), dict)


def test_unknown_datastore_exits_with_3(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datastore", "show", "oracle"]) == 3
    assert capsys.readouterr().err == "dbctl: There is no datastore oracle.\n"


def test_ca(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ca"]) == 0
    assert capsys.readouterr().out == CA


def test_bad_token(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COFFER_TOKEN", "wrong")
    assert main(["instance", "list"]) == 1
    err = capsys.readouterr().err
    assert "The token is not valid." in err
    assert "COFFER_TOKEN" in err


def test_redirects_get_no_token(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flavor", "show", "moved"]) == 1
    assert "The server redirects." in capsys.readouterr().err
    assert [path for _, path, _ in server.coffer.requests] == ["/v1.0/main/flavors/moved"]


def test_unreachable_server(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COFFER_URL", "http://127.0.0.1:1/v1.0/main")
    monkeypatch.setenv("COFFER_TOKEN", TOKEN)
    assert main(["instance", "list"]) == 1
    err = capsys.readouterr().err
    assert "cannot reach the Coffer API at http://127.0.0.1:1: Connection refused" in err
    assert "make up" in err


def write_config(path: Path, url: str, token: str = TOKEN) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'url = "{url}"\ntoken = "{token}"\n')
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("how", ["option", "variable", "default"])
def test_configuration_files(
    server: Server,
    how: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write_config(tmp_path / "config" / "coffer" / "dbctl.toml", server.url)
    for name in ("COFFER_URL", "COFFER_TOKEN", "COFFER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    option = []
    if how != "default":
        path = path.rename(tmp_path / "elsewhere.toml")
    if how == "variable":
        monkeypatch.setenv("COFFER_CONFIG", str(path))
    if how == "option":
        # For this one command: it beats the environment.
        monkeypatch.setenv("COFFER_URL", "http://127.0.0.1:1/v1.0/main")
        monkeypatch.setenv("COFFER_TOKEN", "x")
        option = ["--config", str(path)]
    assert main(["flavor", "list", *option]) == 0
    assert capsys.readouterr().err == ""
    path.chmod(0o644)
    assert main(["flavor", "list", *option]) == 0
    assert "others can read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("url = ", "is not a TOML file"),
        ('url = "http://h:1/v1.0/p"', "has no `token`"),
        ('url = "h:1/v1.0/p"\ntoken = "t"', "is not a URL like"),
        ('url = "http://h:1/v1.0/"\ntoken = "t"', "is not a URL like"),
        ('url = "http://h:1/"\ntoken = "t"', "is not a URL like"),
        ('url = "http://h:1/v1.0/p"\ntoken = "a\\nb"', "characters that no token has"),
        (None, "cannot read"),
    ],
)
def test_bad_configuration_files(
    tmp_path: Path, text: str | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "dbctl.toml"
    if text is not None:
        path.write_text(text)
        path.chmod(0o600)
    assert main(["flavor", "list", "--config", str(path)]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("name", ["COFFER_URL", "COFFER_TOKEN"])
def test_half_an_environment_is_an_error(
    server: Server,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv(name)
    assert main(["flavor", "list"]) == 2
    assert f"{name} is not" in capsys.readouterr().err


def test_the_settings_of_the_service_are_passed_over(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_config(tmp_path / "config" / "coffer" / "dbctl.toml", server.url)
    (tmp_path / "coffer.toml").write_text('region = "RegionOne"\n')
    monkeypatch.setenv("COFFER_CONFIG", str(tmp_path / "coffer.toml"))
    monkeypatch.delenv("COFFER_URL")
    monkeypatch.delenv("COFFER_TOKEN")
    assert main(["flavor", "list"]) == 0


def test_no_configuration_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("COFFER_URL", "COFFER_TOKEN", "COFFER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert main(["flavor", "list"]) == 2
    assert "COFFER_URL" in capsys.readouterr().err


def test_clean_takes_the_teeth_out_of_texts() -> None:
    assert clean("a\x1b[2Jb\u202ec\r\nd\te") == "a�[2Jb�c�\nd\te"
