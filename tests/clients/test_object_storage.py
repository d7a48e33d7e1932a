"""Backups in a real object store behind the gateway, moved there from a directory."""

import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from coffer.paths import ROLES
from coffer.repositories import line_of
from tests.clients.service import BIN, clean
from tests.object_store import REMOTES, object_store
from tests.site import NUMBER

TEMPLATE = ROLES / "control_plane/templates/rclone.conf.j2"
FLAGS = ["--append-only", "--private-repos", "--cache-objects=false"]
ADDRESS = f"127.0.0.1:{19500 + int(NUMBER)}"
OWNER, PASSWORD = "11111111-1111-4111-8111-111111111111", "gateway-password"
KEY = "repository-password"


@dataclass
class Store:
    """A place for repositories, as the control plane sees it and as guests do."""

    place: Path

    @property
    def config(self) -> Path:
        return self.place / "rclone.conf"

    def rclone(self, *arguments: str) -> str:
        return run(["rclone", "--config", str(self.config), *arguments])

    @contextmanager
    def gateway(self, storage: str) -> Iterator[None]:
        """What guests reach."""
        (self.place / "users").write_text(f"{OWNER}:{line_of(PASSWORD)}\n")
        options = ["--addr", ADDRESS, "--htpasswd", str(self.place / "users")]
        options += ["--config", str(self.config), storage]
        process = subprocess.Popen(["rclone", "serve", "restic", *FLAGS, *options], env=told())
        try:
            wait_for_port()
            yield
        finally:
            process.kill()
            process.wait()

    @staticmethod
    def guest(*arguments: str, check: bool = True, patience: str = "100") -> str:
        """restic as a guest runs it."""
        address = f"rest:http://{OWNER}:{PASSWORD}@{ADDRESS}/{OWNER}/"
        command = ["timeout", patience, "restic", "--no-cache", "-r", address, *arguments]
        return run(command, check=check, RESTIC_PASSWORD=KEY)

    def role(self, entry: str, storage: str, **more: Any) -> str:
        """An entry point of the role, on this host."""
        variables = {
            "coffer_repository": OWNER,
            "coffer_repository_password": KEY,
            "coffer_backup_storage": storage,
            "coffer_rclone_config": str(self.config),
            "backup_cache": str(self.place / "cache"),
            **more,
        }
        include = {"name": "backup", "tasks_from": entry}
        tasks = [{"name": "Run", "ansible.builtin.include_role": include}]
        play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
        book = self.place / "play.yml"
        book.write_text(yaml.safe_dump([{"name": "Run", **play, "vars": variables}]))
        return run([str(BIN / "ansible-playbook"), "-i", "/dev/null", str(book)])


def told() -> dict[str, str]:
    """As services have it; this machine's own settings of clouds are none of theirs.

    Each connection is used once, because Swift's S3 door may send the end of a body after the
    answer to a HEAD, which has none: rclone takes it for the next answer on that connection.
    """
    kept = {key: value for key, value in clean(os.environ).items() if not key.startswith("AWS_")}
    return kept | {"ANSIBLE_ROLES_PATH": str(ROLES), "RCLONE_DISABLE_HTTP_KEEP_ALIVES": "true"}


def run(command: list[str], *, check: bool = True, **more: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=told() | more, timeout=120
    )
    assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout if done.returncode == 0 else ""


def wait_for_port() -> None:
    host, port = ADDRESS.split(":")
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        try:
            socket.create_connection((host, int(port)), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(ADDRESS)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        made = Store(Path(name))
        text = jinja2.Template(TEMPLATE.read_text()).render(control_plane_rclone=REMOTES)
        made.config.write_text(text)
        with object_store(made.place):
            yield made


@pytest.mark.parametrize("remote", REMOTES)
def test_backups_move_to_an_object_store(store: Store, remote: str) -> None:
    # given a backup in a directory
    local, data = str(store.place / f"local-{remote}"), store.place / "data"
    data.mkdir(exist_ok=True)
    (data / "rows").write_bytes(os.urandom(3 << 20))
    Path(local).mkdir()
    with store.gateway(local):
        store.guest("init")
        store.guest("backup", str(data))

    # when the directory is copied to the object store, then it is sound, and gives the data back
    there = f"{remote}:backups-of-{remote}/coffer"
    store.rclone("copy", local, there)
    store.role("check", there)
    with store.gateway(there):
        (first,) = json.loads(store.guest("snapshots", "--json"))
        back = store.place / f"back-{remote}"
        store.guest("restore", first["id"], "--target", str(back))
        assert (back / str(data / "rows").lstrip("/")).read_bytes() == (data / "rows").read_bytes()

        # and takes another one, and a guest deletes nothing there either
        (data / "more").write_text("more")
        store.guest("backup", str(data))
        second = json.loads(store.guest("snapshots", "--json"))[1]
        assert store.guest("forget", first["id"], check=False, patience="5") == ""

        # when the control plane deletes one, then it alone is gone
        store.role("forget", there, coffer_snapshots=[first["id"]])
        left = json.loads(store.guest("snapshots", "--json", "--no-lock"))
        assert [row["id"] for row in left] == [second["id"]]
