"""dbctl connect: a stand-in client on PATH writes down what it was given."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dbctl.connection import Login, fill_arguments, fill_uri
from dbctl.main import split
from tests.unit.dbctl_documents import CA, CONNECTION, TOKEN
from tests.unit.dbctl_server import Server

ROOT = Path(__file__).parents[2]
CLIENT = """#!/bin/sh
for argument; do
  echo "$argument"
  file=${argument#*=}
  case $argument in --defaults-extra-file=*) cat "$file"; stat -Lc %a "$file"; esac
done
"""


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    server.coffer.add_instance("db1")
    user = {"name": "app", "host": "%", "databases": [{"name": "shop"}]}
    server.coffer.users = [user, user | {"host": "10.%"}]
    yield server
    server.stop()


@pytest.fixture
def environment(server: Server, tmp_path: Path) -> dict[str, str]:
    client = tmp_path / "bin" / "mariadb"
    client.parent.mkdir()
    client.write_text(CLIENT)
    client.chmod(0o755)
    return os.environ | {
        "COFFER_URL": server.url,
        "COFFER_TOKEN": TOKEN,
        "PATH": f"{client.parent}:/usr/bin:/bin",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "PYTHONPATH": str(ROOT),
    }


def dbctl(environment: dict[str, str], *arguments: str, typed: str = "") -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "dbctl", *arguments],
        env=environment, input=typed, capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_connect_fills_in_the_only_user_and_the_ca(
    environment: dict[str, str], tmp_path: Path
) -> None:
    code, out, err = dbctl(environment, "connect", "db1", "--", "-e", "select 1")
    (ca,) = (tmp_path / "cache" / "coffer").iterdir()
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "--host=10.77.0.9", "--port=3306", "--user=app", f"--ssl-ca={ca}", "--password",
        "--database=shop", "-e", "select 1",
    ]  # fmt: skip
    assert ca.read_text() == CA
    assert ca.stat().st_mode & 0o777 == 0o600


def test_connect_hands_a_password_over_in_a_private_file(environment: dict[str, str]) -> None:
    arguments = ("connect", "db1", "--password-file", "-")
    code, out, _ = dbctl(environment, *arguments, typed='a"b\\c\n')
    lines = out.splitlines()
    assert code == 0
    assert lines[0].startswith("--defaults-extra-file=/dev/fd/")
    assert lines[1:4] == ["[client]", 'password="a\\"b\\\\c"', "600"]
    assert "--password" not in lines


def test_connect_without_a_client(environment: dict[str, str], tmp_path: Path) -> None:
    code, _, err = dbctl(environment | {"PATH": str(tmp_path)}, "connect", "db1")
    assert code == 1
    assert "no client program found: no-such-client or mariadb" in err


def test_connect_wants_a_user_when_there_are_several(
    environment: dict[str, str], server: Server
) -> None:
    server.coffer.users.append({"name": "zoe", "host": "%", "databases": []})
    code, _, err = dbctl(environment, "connect", "db1")
    assert code == 2
    assert "Users: app, zoe" in err
    code, out, _ = dbctl(environment, "connect", "db1", "--user", "zoe", "--json")
    assert code == 0
    assert json.loads(out)["command"][-2:] != ["--database=", ""]
    assert "--user=zoe" in json.loads(out)["command"]


def test_values_are_never_searched_for_places() -> None:
    login = Login("{ca}", "p{database}", "{host}")
    filled = fill_arguments(["{user}", "--d={database}", "{ca}"], CONNECTION, login, "/c")
    assert filled == ["{ca}", "--d={host}", "/c"]
    uri = fill_uri(CONNECTION, login)
    assert uri.startswith("mysql://%7Bca%7D:p%7Bdatabase%7D@10.77.0.9:3306/%7Bhost%7D?")


def test_only_connect_gives_arguments_to_a_client() -> None:
    assert split(["connect", "a", "--", "-x", "--"]) == (["connect", "a"], ["-x", "--"])
    assert split(["instance", "show", "--", "-x"]) == (["instance", "show", "--", "-x"], [])
