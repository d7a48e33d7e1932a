"""python-troveclient's own commands (`openstack database …`), against a served API.

One story in the order in which a person would tell it; each line checks what the command printed.
"""

import contextlib
import io
import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.service import BIN, PROJECT, Service, clean

openstack = pytest.importorskip("openstackclient.shell")


class Client:
    """The `openstack` command with a token of the service."""

    def __init__(self, service: Service) -> None:
        self._url = service.url
        self._login = self.login(service.tokens["admin"])

    def login(self, token: str) -> list[str]:
        """Options that log in with a token."""
        return ["--os-auth-type=admin_token", f"--os-endpoint={self._url}", f"--os-token={token}"]

    def run(self, line: str, *more: str, code: int = 0) -> str:
        """What a command printed; `more` are arguments that hold spaces."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = openstack.main([*self._login, *line.split(), *more])
        assert status == code, f"{line}: {err.getvalue()}"
        return out.getvalue() + (err.getvalue() if code else "")

    def ask(self, line: str, *more: str) -> Any:
        """What a command printed, read."""
        return json.loads(self.run(line, *more, "-f", "json").strip() or "[]")


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[Client]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(clean(before))
    try:
        yield Client(service)
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="module")
def db1(client: Client) -> str:
    """An instance that was created with a database and a user; its id."""
    made = client.ask(
        "database instance create db1 --flavor small --size 1 --datastore mysql"
        " --datastore-version 9.7 --databases app --users u:secret --allowed-cidr 10.0.0.0/8"
    )
    assert (made["name"], made["status"], made["flavor"]) == ("db1", "BUILD", "small")
    return wait(client, str(made["id"]))


def wait(client: Client, instance: str) -> str:
    """Until nothing is under way."""
    for _ in range(400):
        if client.ask(f"database instance show {instance}")["status"] == "ACTIVE":
            return instance
    raise AssertionError(f"{instance} is not ACTIVE")


def settled(client: Client, line: str, done: Any) -> Any:
    """What a list shows once a change that was accepted has been made."""
    for _ in range(400):
        if done(rows := client.ask(line)):
            return rows
    raise AssertionError(rows)


def names(rows: Any, key: str = "Name") -> list[str]:
    return sorted(row[key] for row in rows)


def test_flavors_and_datastores(client: Client) -> None:
    assert "small" in names(client.ask("database flavor list"))
    assert client.ask("database flavor show small")["ram"] == 1024
    assert names(client.ask("datastore list")) == ["mysql"]
    assert client.ask("datastore show mysql")["name"] == "mysql"
    (version,) = client.ask("datastore version list mysql")
    assert (version["Name"], version["Version"]) == ("9.7", "9.7.4")
    assert client.ask("datastore version show 9.7 --datastore mysql")["id"] == version["ID"]
    narrowed = "database flavor list --datastore-type mysql --datastore-version-id"
    assert "tiny" in names(client.ask(f"{narrowed} {version['ID']}"))


def test_datastore_versions(client: Client) -> None:
    client.run("datastore version create 9.7 percona mysql mysql-9.7 --active")
    (version,) = client.ask("datastore version list percona")
    client.run(f"datastore version set {version['ID']} --disable")
    assert client.ask("datastore version list percona") == []
    client.run(f"datastore version delete {version['ID']}")
    client.run("datastore delete percona")
    assert names(client.ask("datastore list")) == ["mysql"]


def test_instances_by_name_and_id(client: Client, db1: str) -> None:
    (row,) = client.ask("database instance list")
    assert (row["ID"], row["Status"], row["Operating Status"]) == (db1, "ACTIVE", "HEALTHY")
    assert row["Datastore Version"] == "9.7"
    assert client.ask("database instance show db1")["id"] == db1
    assert client.ask(f"database instance show {db1}")["allowed_cidrs"] == ["10.0.0.0/8"]
    assert names(client.ask("database instance list --all-projects")) == ["db1"]
    assert names(client.ask(f"database instance list --project-id {PROJECT}")) == ["db1"]
    assert client.ask("database instance list --project-id another") == []
    assert "No" in client.run("database instance show nobody", code=1)


def test_restart_resize_rename(client: Client, db1: str) -> None:
    client.run("database instance restart db1")
    wait(client, db1)
    client.run("database instance resize volume db1 2")
    wait(client, db1)
    client.run("database instance resize flavor db1 medium")
    wait(client, db1)
    shown = client.ask("database instance show db1")
    assert (shown["volume"], shown["flavor"]) == (2, "medium")
    client.run("database instance update db1 --name db2 --allowed-cidr 192.0.2.0/24")
    wait(client, db1)
    assert client.ask("database instance show db2")["allowed_cidrs"] == ["192.0.2.0/24"]
    client.run("database instance update db2 --name db1")
    client.run("database instance reset status db1")
    client.run(f"database instance reboot {db1}")
    wait(client, db1)
    refused = client.run("database instance upgrade db1 9.8", code=1)
    assert "does not exist" in refused


def test_replicas(client: Client, db1: str) -> None:
    for line in ("promote db1", "eject db1", "detach db1"):
        assert "replica" in client.run(f"database instance {line}", code=1)
    made = client.ask("database instance create copy --replica-of db1 --replica-count 2")
    assert (made["name"], made["replica_of"]) == ("copy-2", db1)
    wait(client, made["id"])
    rows = {row["Name"]: row["Role"] for row in client.ask("database instance list")}
    assert rows == {"db1": "primary", "copy-1": "replica", "copy-2": "replica"}
    assert "copy-2" in client.run("database instance delete db1", code=1)
    assert "replica" in client.run("database instance promote db1", code=1)
    assert "reported" in client.run("database instance eject db1", code=1)
    client.run("database instance promote copy-1")
    assert wait(client, db1)
    assert client.ask(f"database instance show {db1}")["replica_of"]
    assert len(client.ask("database instance show copy-1")["replicas"].split(",")) == 2
    client.run("database instance detach db1")
    wait(client, db1)
    client.run("database instance detach copy-2")
    wait(client, made["id"])
    for name in ("copy-1", "copy-2"):
        client.run(f"database instance delete {name}")
    settled(client, "database instance list", lambda rows: names(rows) == ["db1"])
    assert "image_id" in client.run(f"database instance rebuild {db1} image", code=1)
    client.run(f"database instance rebuild {db1} mysql-9.7")


def test_databases(client: Client, db1: str) -> None:
    assert names(client.ask("database db list db1")) == ["app"]
    client.run("database db create db1 shop --character_set utf8mb4")
    settled(client, "database db list db1", lambda rows: names(rows) == ["app", "shop"])
    client.run("database db delete db1 shop")
    settled(client, "database db list db1", lambda rows: names(rows) == ["app"])


def test_users(client: Client, db1: str) -> None:
    client.run("database user create db1 v secret --host 10.% --databases app")
    rows = settled(client, "database user list db1", lambda rows: len(rows) == 2)
    assert {"Name": "v", "Host": "10.%", "Databases": "app"} in rows
    assert client.ask("database user show db1 v --host 10.%")["name"] == "v"
    client.run("database user revoke access db1 v app --host 10.%")
    assert client.ask("database user show access db1 v --host 10.%") == []
    client.run("database user grant access db1 v app --host 10.%")
    assert names(client.ask("database user show access db1 v --host 10.%")) == ["app"]
    client.run("database user update attributes db1 v --host 10.% --new_name w")
    settled(client, "database user list db1", lambda rows: names(rows) == ["u", "w"])
    client.run("database user delete db1 w --host 10.%")
    settled(client, "database user list db1", lambda rows: names(rows) == ["u"])


def test_logs(client: Client, db1: str) -> None:
    rows = {row["Name"]: row for row in client.ask("database log list db1")}
    assert sorted(rows) == ["error", "general", "slow_query"]
    assert (rows["general"]["Type"], rows["general"]["Status"]) == ("USER", "Disabled")
    assert client.ask(f"database log set {db1} general --enable")["status"] == "Enabled"
    shown = client.ask("database log set db1 general --publish")
    assert (shown["status"], shown["published"]) == ("Published", 8)
    assert client.ask("database log show db1 general") == shown
    assert client.ask("database log set db1 general --discard")["published"] == 0
    assert client.ask("database log set db1 general --disable")["status"] == "Disabled"
    assert "always on" in client.run("database log set db1 error --disable", code=1)
    assert "does not exist" in client.run("database log show db1 nonsense", code=1)


def test_backup_strategies(client: Client, db1: str) -> None:
    made = client.ask(f"database backup strategy create --instance-id {db1} --swift-container c1")
    assert (made["instance_id"], made["swift_container"], made["backend"]) == (db1, "c1", "swift")
    client.run("database backup strategy create --swift-container c2")
    rows = client.ask("database backup strategy list")
    assert [(row["Instance ID"], row["Swift Container"]) for row in rows] == [
        ("", "c2"),
        (db1, "c1"),
    ]
    (row,) = client.ask(f"database backup strategy list --instance-id {db1}")
    assert row["Swift Container"] == "c1"
    client.run(f"database backup strategy delete --instance-id {db1}")
    client.run("database backup strategy delete")
    assert client.ask("database backup strategy list") == []


def test_root(client: Client, db1: str) -> None:
    assert client.ask("database root show db1")["is_root_enabled"] in (False, "False")
    assert client.ask("database root enable db1")["name"] == "root"
    assert client.ask("database root show db1")["is_root_enabled"] in (True, "True")
    client.run("database root disable db1")
    assert client.ask("database root show db1")["is_root_enabled"] in (False, "False")


def test_configurations(client: Client, db1: str) -> None:
    values = '{"max_connections": 200}'
    made = client.ask("database configuration create group", values, *"--datastore mysql".split())
    assert (made["name"], made["datastore_version_number"]) == ("group", "9.7.4")
    assert names(client.ask("database configuration list")) == ["group"]
    assert client.ask("database configuration show group")["id"] == made["id"]
    client.run("database configuration attach db1 group")
    wait(client, db1)
    assert names(client.ask("database configuration instances group")) == ["db1"]
    shown = client.ask("database instance show db1")
    assert shown["configuration"] == made["id"]
    client.run(f"database configuration parameter set {made['id']}", '{"wait_timeout": 120}')
    client.run(f"database configuration set {made['id']}", values)
    client.run("database configuration detach db1")
    wait(client, db1)
    client.run("database configuration delete group")
    line = "database configuration parameter list --datastore mysql 9.7"
    assert "max_connections" in names(client.ask(line))
    one = client.ask("database configuration parameter show --datastore mysql 9.7 max_connections")
    assert one["type"] == "integer"


def test_limits(client: Client) -> None:
    assert "max_instances" in client.run("database limit list")


def test_clusters_are_not_there(client: Client) -> None:
    assert client.ask("database cluster list") == []


def test_a_reader_only_reads(service: Service, client: Client, db1: str) -> None:
    """In a process of its own: the command keeps its first login for as long as it lives."""
    login = client.login(service.tokens["reader"])
    command = [str(BIN / "openstack"), *login, "database", "instance", "restart", db1]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, "member" in done.stderr) == (1, True), done.stderr


def test_deletion_by_force(client: Client) -> None:
    for name, line in (("f1", "delete f1 --force"), ("f2", "force delete f2")):
        wish = "--flavor small --size 1 --datastore mysql --datastore-version 9.7"
        made = client.ask(f"database instance create {name} {wish}")
        wait(client, made["id"])
        client.run(f"database instance {line}")
        settled(client, "database instance list", lambda rows: names(rows) == ["db1"])


def test_deletion(client: Client, db1: str) -> None:
    client.run("database instance delete db1")
    settled(client, "database instance list", lambda rows: rows == [])
    assert "No" in client.run("database instance show db1", code=1)
