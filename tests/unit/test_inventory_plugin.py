"""The inventory plugin, run by the real ansible-inventory against a real HTTP server."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.dbctl_documents import TOKEN
from tests.unit.dbctl_server import Server

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
EVIL = "{{ lookup('ansible.builtin.pipe', 'touch %s') }}"
ID = "aaaa1111-0000-4000-8000-00000000000"


def host(number: int, name: str, **more: Any) -> dict[str, Any]:
    return {
        "ansible_host": f"10.77.0.{number}",
        "ansible_user": "root",
        "coffer_instance_id": f"{ID}{number}",
        "coffer_instance_name": name,
        "coffer_flavor": {"id": "small", "name": "small"},
    } | more


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    server.coffer.inventory = {
        "hosts": {
            "db1": host(1, "db1", ansible_ssh_common_args="-o ControlPersist=60s"),
            "db2": host(2, "db2", ansible_ssh_common_args="-o UserKnownHostsFile=/srv/known_hosts"),
        },
        "groups": {"engine_mysql": ["db1", "db2"], "version_9_7": ["db1"], "status_error": []},
        "known_hosts": ["10.77.0.1 ssh-ed25519 AAAA", "10.77.0.2 ssh-ed25519 BBBB"],
    }
    yield server
    server.stop()


class Operator:
    """Someone with a coffer.yml in a directory of their own."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder = folder
        self.environment = os.environ | {
            "ANSIBLE_INVENTORY_PLUGINS": str(ROOT / "inventory_plugins"),
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "1",
            "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
            "ANSIBLE_NOCOLOR": "1",
            "COFFER_URL": server.url,
            "COFFER_TOKEN": TOKEN,
            "XDG_CACHE_HOME": str(folder / "a cache"),
            "XDG_CONFIG_HOME": str(folder),
        }

    def run(self, program: str, *arguments: str, source: str = "") -> tuple[int, str, str]:
        file = self.folder / "coffer.yml"
        file.write_text(f"plugin: coffer\n{source}")
        done = subprocess.run(
            [str(BIN / program), "-i", str(file), *arguments],
            env=self.environment, cwd=self.folder,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    def list(self, source: str = "") -> dict[str, Any]:
        code, out, err = self.run("ansible-inventory", "--list", source=source)
        assert code == 0, err
        document: dict[str, Any] = json.loads(out, object_hook=untagged)
        return document


def untagged(value: dict[str, Any]) -> Any:
    """ansible-inventory marks what must not be a template: it is all that the API gives."""
    return value.get("__ansible_unsafe", value)


@pytest.fixture
def operator(tmp_path: Path, server: Server) -> Operator:
    return Operator(tmp_path, server)


def test_graph(operator: Operator) -> None:
    code, out, err = operator.run("ansible-inventory", "--graph")
    assert (code, err) == (0, "")
    assert "  |--@engine_mysql:\n  |  |--db1\n  |  |--db2\n" in out
    assert "  |--@version_9_7:\n  |  |--db1\n" in out


def test_variables_groups_and_host_keys(operator: Operator) -> None:
    document = operator.list(
        "compose:\n  shown: coffer_instance_name | upper\n"
        "keyed_groups:\n  - {key: coffer_flavor.name, prefix: flavor}\n"
        "groups:\n  first: ansible_host == '10.77.0.1'\n"
    )
    variables = document["_meta"]["hostvars"]
    assert variables["db1"]["coffer_flavor"] == {"id": "small", "name": "small"}
    assert variables["db1"]["shown"] == "DB1"
    assert document["flavor_small"]["hosts"] == ["db1", "db2"]
    assert document["first"]["hosts"] == ["db1"]
    assert variables["db2"]["ansible_ssh_common_args"] == "-o UserKnownHostsFile=/srv/known_hosts"
    check_known_hosts(variables["db1"]["ansible_ssh_common_args"], operator.folder)


def check_known_hosts(arguments: str, folder: Path) -> None:
    """Ask ssh itself what it makes of the arguments; the folder's name has a blank."""
    command = ["ssh", "-G", *shlex.split(arguments), "10.77.0.1"]
    seen = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    settings = dict(line.split(" ", 1) for line in seen.splitlines())
    assert settings["controlpersist"] == "60"
    assert settings["stricthostkeychecking"] == "true"
    path = Path(settings["userknownhostsfile"])
    assert path.parent == folder / "a cache" / "coffer"
    assert path.read_text() == "10.77.0.1 ssh-ed25519 AAAA\n10.77.0.2 ssh-ed25519 BBBB\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_users_write_is_never_a_template(operator: Operator, server: Server) -> None:
    evil = EVIL % (operator.folder / "pwned")
    server.coffer.inventory["hosts"] = {evil: host(3, evil, nested={"deep": [evil]})}
    server.coffer.inventory["groups"] = {"engine_mysql": [evil]}
    source = "compose:\n  composed: coffer_instance_name ~ nested.deep[0]\n"
    code, out, err = operator.run(
        "ansible", "engine_mysql", "-c", "local", "-m", "ansible.builtin.debug",
        "-a", "msg={{ [coffer_instance_name, nested, composed] }}", source=source,
    )  # fmt: skip
    assert code == 0, out + err
    assert out.startswith(f"{ID}3 | SUCCESS")
    assert out.count("lookup('ansible.builtin.pipe'") == 4
    assert "cannot name a host" in err
    assert not (operator.folder / "pwned").exists()


def test_names_that_mean_something_else(operator: Operator, server: Server) -> None:
    names = ["all", "engine_mysql", "localhost", "a:b", "-x", "flavor_small"]
    server.coffer.inventory["hosts"] = {
        name: host(number, name) for number, name in enumerate(names, 1)
    }
    document = operator.list("keyed_groups:\n  - {key: coffer_flavor.name, prefix: flavor}\n")
    variables = document["_meta"]["hostvars"]
    assert set(variables) == {*(f"{ID}{number}" for number in range(1, 6)), "flavor_small"}
    assert variables[f"{ID}1"]["coffer_instance_name"] == "all"


def test_all_projects_and_the_cache(operator: Operator, server: Server) -> None:
    source = f"""all_projects: true
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: {operator.folder}/inventory
"""
    first = operator.list(source)
    asked = [path for _, path, _ in server.coffer.requests]
    assert asked == ["/v1.0/main/inventory?all_projects=true"]
    server.stop()
    assert operator.list(source) == first
    server.start()


def test_configuration_by_dbctl_toml(operator: Operator, server: Server) -> None:
    operator.environment |= {"COFFER_URL": "", "COFFER_TOKEN": ""}
    (operator.folder / "coffer").mkdir()
    file = operator.folder / "coffer" / "dbctl.toml"
    file.write_text(f'url = "{server.url}"\ntoken = "{TOKEN}"\n')
    service = operator.folder / "coffer.toml"
    service.write_text('region = "RegionOne"\n')
    operator.environment["COFFER_CONFIG"] = str(service)
    assert "db1" in operator.list()["_meta"]["hostvars"]


def test_errors(operator: Operator, server: Server) -> None:
    here = f"url: {server.url}\n"
    wrong = {
        "projects: all\n": "unknown options: projects",
        "timeout: 0\n": "timeout must be 1 second or more",
        "all_projects: perhaps\n": "all_projects must be true or false",
        "token: t\nurl: http://h/\n": "is not like",
        here: "token (COFFER_TOKEN) is missing",
        "all_projects: true\n": "no server is configured",
        f"{here}token: bad\n": "The token is not valid. (HTTP 401)",
        "token: t\nurl: http://127.0.0.1:1/v1.0/p\n": "Does it run (make up)?",
    }
    del operator.environment["COFFER_URL"], operator.environment["COFFER_TOKEN"]
    operator.environment["ANSIBLE_INVENTORY_UNPARSED_FAILED"] = "0"
    sources = []
    for number, text in enumerate(wrong):
        file = operator.folder / f"{number}.coffer.yml"
        file.write_text(f"plugin: coffer\n{text}")
        sources += ["-i", str(file)]
    _, _, err = operator.run("ansible-inventory", "--list", *sources)
    told = " ".join(err.split())
    for text, said in wrong.items():
        assert said in told, text


def test_an_unreachable_api_fails_the_run_when_asked_to(operator: Operator) -> None:
    operator.environment["COFFER_URL"] = "http://127.0.0.1:1/v1.0/p"
    code, _, err = operator.run("ansible-inventory", "--graph")
    assert code != 0
    assert "cannot reach the API at http://127.0.0.1:1/v1.0/p/inventory" in " ".join(err.split())
