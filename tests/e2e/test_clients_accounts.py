"""python-troveclient's own commands (`openstack database …`) on an instance of each engine."""

import contextlib
import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.engines import Served
from tests.e2e.waiting import wait_for

openstack = pytest.importorskip("openstackclient.shell")
SETTING = {"mongodb": ("cursorTimeoutMillis", 7000)}
"""A parameter that changes at once, and a value."""


@dataclass(frozen=True)
class Client:
    """The `openstack` command with the administrator's token, and the instance that it is about."""

    served: Served

    def run(self, line: str, *more: str) -> str:
        """What a command printed; `{}` is the instance, `more` are arguments that hold spaces."""
        api, out, err = self.served.coffer.api, io.StringIO(), io.StringIO()
        login = [
            "--os-auth-type",
            "admin_token",
            "--os-endpoint",
            api.url,
            f"--os-token={api.token}",
        ]
        words = line.replace("{}", self.served.guest.id).split()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = openstack.main([*login, *words, *more])
        assert status == 0, f"{line}: {err.getvalue()}"
        return out.getvalue()

    def ask(self, line: str, *more: str) -> Any:
        """What a command printed, read."""
        return json.loads(self.run(line, *more, "-f", "json").strip() or "[]")

    def names(self, line: str) -> set[str]:
        """The names in a list."""
        return {row["Name"] for row in self.ask(line)}

    def wait(self, line: str, *names: str) -> None:
        """Until a list has these names and no others."""
        wait_for(f"{line}: {names}", lambda: self.names(line) == set(names))


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    before = dict(os.environ)
    for key in before:
        if key.startswith(("OS_", "COFFER_")):
            del os.environ[key]
    yield Client(served)
    os.environ.clear()
    os.environ.update(before)


def test_databases_and_users(client: Client, served: Served) -> None:
    client.run("database db create {} shop")
    client.wait("database db list {}", "app", "shop")
    client.run("database user create {} ann pass1 --databases shop")
    client.wait("database user list {}", "app", "ann")
    assert served.sees("ann", "pass1") == {"shop"}
    assert client.ask("database user show {} ann")["name"] == "ann"
    client.run("database user grant access {} ann app")
    assert client.names("database user show access {} ann") == {"app", "shop"}
    assert served.sees("ann", "pass1") == {"app", "shop"}
    client.run("database user revoke access {} ann shop")
    assert client.names("database user show access {} ann") == {"app"}
    client.run("database user update attributes {} ann --new_password pass2")
    wait_for("the new password", lambda: served.enters("ann", "pass2"))
    client.run("database user delete {} ann")
    client.wait("database user list {}", "app")
    client.run("database db delete {} shop")
    client.wait("database db list {}", "app")


def test_root(client: Client, served: Served) -> None:
    made = client.ask("database root enable {}")
    assert served.enters(made["name"], made["password"])
    assert client.ask("database root show {}")["is_root_enabled"] in (True, "True")
    client.run("database root disable {}")
    assert not served.enters(made["name"], made["password"])


def test_datastores_and_configurations(client: Client, served: Served) -> None:
    engine = served.engine.data["engine"]
    key, value = SETTING.get(engine, ("wait_timeout", 77))
    assert engine in client.names("datastore list")
    version = client.ask(f"datastore version list {engine}")[0]["Name"]
    shown = client.ask(
        f"database configuration parameter show {version} {key} --datastore {engine}"
    )
    assert shown["name"] == key
    listed = client.ask(f"database configuration parameter list {version} --datastore {engine}")
    assert len(listed) >= 60
    assert client.ask("database configuration default {}")
    made = client.ask(
        "database configuration create",
        "by-client",
        json.dumps({key: value}),
        *("--datastore", engine, "--datastore-version", version),
    )
    client.run(f"database configuration attach {{}} {made['id']}")
    attached = f"database configuration instances {made['id']}"
    wait_for("attached", lambda: client.names(attached) == {served.guest.name})
    client.run("database configuration parameter set", made["id"], json.dumps({key: value + 1}))
    client.run("database configuration detach {}")
    wait_for("detached", lambda: client.names(attached) == set())
    client.run(f"database configuration delete {made['id']}")
    assert "by-client" not in client.names("database configuration list")
