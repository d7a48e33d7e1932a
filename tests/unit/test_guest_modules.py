"""The actions that need no Python in a guest, with this host as the guest."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROLES = Path(__file__).parents[2] / "roles"
PLAY = """
- hosts: all
  gather_facts: false
  roles: [guest_modules]
  tasks:
    - name: Do it
      {action}: {options}
      check_mode: {check}
      diff: true
"""
TEXT = "it's {{ 7 * 7 }} `$(id)` \\\nEND\nä\n"


class Guest:
    """Runs one task; a directory for what it writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "inventory").write_text(
            f"here ansible_connection=local ansible_python_interpreter={sys.executable}\n"
        )

    def act(self, action: str, check: bool = False, **options: Any) -> dict[str, Any]:
        """The task's result."""
        marked = json.dumps(options, ensure_ascii=False).replace("{{", "{{ '{{' }}")
        playbook = PLAY.format(action=action, options=marked, check=check)
        (self.folder / "play.yml").write_text(playbook)
        done = subprocess.run(
            [f"{Path(sys.executable).parent}/ansible-playbook", "-i", "inventory", "play.yml"],
            cwd=self.folder,
            env={
                **os.environ,
                "ANSIBLE_ROLES_PATH": str(ROLES),
                "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
                "ANSIBLE_PIPELINING": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        report = json.loads(done.stdout[done.stdout.index("{\n") :])
        result: dict[str, Any] = report["plays"][0]["tasks"][-1]["hosts"]["here"]
        return result


@pytest.fixture
def guest(tmp_path: Path) -> Guest:
    return Guest(tmp_path)


def test_files_are_written_whole_once_and_with_their_difference(guest: Guest) -> None:
    plain, secret = guest.folder / "new dir" / "it's", guest.folder / "token"
    secret.write_text("old")
    wish: dict[str, Any] = {"files": {str(plain): TEXT}, "secrets": {str(secret): "s3cret"}}

    tried = guest.act("guest_files", check=True, **wish)
    assert tried["changed"]
    assert tried["paths"] == [str(plain), str(secret)]
    assert not plain.exists()

    written = guest.act("guest_files", **wish)
    assert plain.read_text() == TEXT
    assert secret.read_text() == "s3cret"
    assert [oct(path.stat().st_mode & 0o777) for path in (plain, secret)] == ["0o644", "0o600"]
    assert written["diff"][0]["after"] == TEXT
    assert "s3cret" not in json.dumps(written["diff"])
    assert not guest.act("guest_files", **wish)["changed"]

    again = guest.act("guest_files", files={str(plain): "new"})
    assert again["diff"][0]["before"] == TEXT
    assert sorted(path.name for path in plain.parent.iterdir()) == ["it's"]


def test_nothing_is_written_if_one_file_would_not_do(guest: Guest) -> None:
    good, bad = guest.folder / "a", guest.folder / "b"
    says = ["sh", "-c", "grep -q right $1 || { echo no good >&2; exit 1; }", "sh", "%s"]
    found = guest.act(
        "guest_files",
        files={str(good): "a", str(bad): "wrong"},
        validate={str(bad): says},
    )
    assert found["failed"]
    assert found["msg"] == f"{bad} would not do: no good"
    assert not good.exists()
    assert guest.act("guest_files", files={str(bad): "right"}, validate={str(bad): says})["changed"]


def test_an_owner_that_is_not_there_is_named(guest: Guest) -> None:
    found = guest.act("guest_files", secrets={str(guest.folder / "a"): "x"}, owner="nobody-here")
    assert found["failed"]
    assert "nobody-here" in found["msg"]
    assert not (guest.folder / "a").exists()


def test_a_script_is_noted_in_the_guests_log(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    logger = guest.folder / "logger"
    logger.write_text(f"#!/bin/sh\nprintf '<%s>' \"$@\" >{guest.folder}/noted\n")
    logger.chmod(0o755)
    monkeypatch.setenv("PATH", f"{guest.folder}:{os.environ['PATH']}")
    assert guest.act("guest_script", script="echo $#")["stdout_lines"] == ["0"]
    assert not (guest.folder / "noted").exists()
    with (guest.folder / "inventory").open("a") as inventory:
        inventory.write('[all:vars]\ncoffer_request_id="req-1\'; $(touch gone)"\n')
    assert guest.act("guest_script", script="echo $#")["stdout_lines"] == ["0"]
    noted = (guest.folder / "noted").read_text()
    assert noted == "<--tag><coffer><--><req-1'; $(touch gone): Do it>"


def test_a_script_gets_its_arguments_as_they_are(guest: Guest) -> None:
    odd = ["", "a b", "$(id)", "it's"]
    done = guest.act("guest_script", script="printf '<%s>' \"$@\"", arguments=odd)
    assert done["stdout"] == "<><a b><$(id)><it's>"
    failed = guest.act("guest_script", script="echo why >&2; exit 3")
    assert (failed["failed"], failed["rc"], failed["msg"]) == (True, 3, "why")
    assert guest.act("guest_script", check=True, script="exit 3")["skipped"]


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"subject": "db1", "names": ["DNS:db1", "IP:192.0.2.1"]}, ""),
        ({"subject": "db2", "names": ["DNS:db1", "IP:192.0.2.1"]}, "its subject is another"),
        ({"subject": "db1", "names": ["DNS:db1", "IP:192.0.2.2"]}, "it asks for db1, 192.0.2.1"),
    ],
)
def test_a_certificate_is_for_what_the_guest_is(
    guest: Guest, asked: dict[str, Any], problem: str
) -> None:
    authority = "-subj /CN=ca -addext keyUsage=critical,keyCertSign"
    openssl(guest, f"req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem {authority}")
    wish = "-subj /CN=db1 -addext subjectAltName=DNS:db1,IP:192.0.2.1"
    openssl(guest, f"req -new -newkey rsa:2048 -nodes -keyout key -out csr {wish}")
    done = guest.act(
        "guest_certificate",
        request=(guest.folder / "csr").read_text(),
        authority_path=str(guest.folder / "ca.pem"),
        authority_key_path=str(guest.folder / "ca.key"),
        directory="/etc/tls",
        days=3,
        **asked,
    )
    if problem:
        assert done["msg"] == f"the guest's request is refused: {problem}"
        return
    (guest.folder / "got.pem").write_text(done["files"]["/etc/tls/server.pem"])
    assert done["files"]["/etc/tls/ca.pem"] == (guest.folder / "ca.pem").read_text()
    said = openssl(guest, "verify -x509_strict -CAfile ca.pem -verify_ip 192.0.2.1 got.pem")
    assert said.strip() == "got.pem: OK"


def openssl(guest: Guest, words: str) -> str:
    command = ["openssl", *words.split()]
    done = subprocess.run(command, cwd=guest.folder, capture_output=True, text=True, check=True)
    return done.stdout
