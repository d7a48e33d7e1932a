"""An instance of each engine, made through the command line, that tests of all engines share."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from tests.e2e.api import Answer
from tests.e2e.guest import Guest
from tests.e2e.host import snapshot_of_host
from tests.e2e.installation import Installation
from tests.roles.engine_clients import CLIENTS, Client, RefusedError
from tests.roles.engine_fixtures import ENGINES
from tests.roles.engine_site import Engine


@dataclass(frozen=True)
class Served:
    """An instance with the user and the database `app`, and what the contract's data say of it."""

    coffer: Installation
    guest: Guest
    engine: Engine

    @property
    def path(self) -> str:
        """Of the instance, below the project."""
        return f"/instances/{self.guest.id}"

    @property
    def client(self) -> Client:
        """A client as applications use it."""
        return CLIENTS[self.engine.data["client"]]

    def send(self, method: str, path: str, body: Any = None) -> Answer:
        """A request below the instance."""
        return self.coffer.api.send(method, self.path + path, body)

    def do(self, method: str, path: str, body: Any = None) -> Any:
        """The same; the operation that it started has succeeded."""
        answer = self.send(method, path, body)
        assert answer.status in (200, 202, 204), answer
        if "coffer-operation-id" in answer.headers:
            row = self.coffer.ended(answer.operation)
            assert row["state"] == "succeeded", row
        return answer.document

    def sees(self, user: str, password: str, *, write: bool = False) -> set[str]:
        """The databases that a user sees who logs in from outside over verified TLS."""
        return self.client.databases(self.guest.address, user, password, self.guest.ca, write=write)

    def enters(self, user: str, password: str) -> bool:
        """Whether the user can log in."""
        try:
            self.sees(user, password)
        except RefusedError:
            return False
        return True

    def shown(self, lines: list[list[str]]) -> list[list[str]]:
        """The lines of commands, each with what the guest answers now."""
        return [[line, self.guest.shell(line).stdout.strip()] for line, _ in lines]

    def differences(self, *arguments: str) -> dict[str, Any]:
        """What `dbctl configuration diff` tells, by parameter; it changes nothing."""
        before = self.coffer.api.instance(self.guest.id)
        told = self.coffer.ask("configuration", "diff", self.guest.name, *arguments)
        assert self.coffer.api.instance(self.guest.id)["status"] == before["status"]
        return {row["name"]: row for row in told["differences"]}

    def keep(self) -> int:
        """Write one more row as `app`; how many there are now."""
        login = (self.guest.address, "app", self.guest.password, self.guest.ca)
        return self.client.keep(*login, "app")


def part(text: str) -> str:
    """A name as one segment of a path."""
    return quote(text, safe="").replace(".", "%2e")


def make_group(coffer: Installation, engine: Engine, name: str, values: dict[str, Any]) -> str:
    """A new configuration group; its id."""
    pairs = [f"{key}={value}" for key, value in values.items()]
    made = coffer.ask("configuration", "create", name, engine.data["engine"], *pairs)
    return str(made["configuration"]["id"])


@pytest.fixture(scope="session", params=ENGINES)
def served(request: pytest.FixtureRequest, coffer: Installation) -> Iterator[Served]:
    """An instance; deleted afterwards, when nothing of it may be left."""
    engine = Engine(request.param)
    coffer.build_image(engine.data["engine"])
    before = snapshot_of_host()
    group = make_group(coffer, engine, "at-first", engine.data["at_first"]["values"])
    wish = [engine.data["engine"], f"of-{engine.name}", "--flavor", "small", "--volume", "1"]
    made = coffer.ask("instance", "create", *wish, "--user", "app", "--configuration", group)
    ca = coffer.ca_file()
    guest = Guest(made["instance"]["id"], wish[1], made["user"]["password"], ca)
    served = Served(coffer, guest, engine)
    try:
        check_group(served, engine.data["at_first"])
        yield served
    finally:
        coffer.dbctl("instance", "delete", guest.id, "--yes")
        coffer.dbctl("configuration", "delete", group, "--yes")
    after = snapshot_of_host()
    assert after == before, json.dumps([before, after], indent=1)


def check_group(served: Served, first: dict[str, Any]) -> None:
    """Created with a configuration group, it has the group's values until that is detached."""
    coffer, guest = served.coffer, served.guest
    assert served.shown(first["shows"]) == first["shows"]
    assert coffer.healthy(guest.id)["configuration"]["name"] == "at-first"
    assert served.differences() == {}
    # what its size gives it does not know of the group
    defaults = served.do("GET", "/configuration")["instance"]["configuration"]
    assert defaults
    assert not first["values"].items() & defaults.items()
    coffer.dbctl("configuration", "detach", guest.name)
    coffer.dbctl("instance", "restart", guest.name)
    coffer.healthy(guest.id)
    assert served.differences() == {}
    assert served.shown(first["shows"]) != first["shows"]
