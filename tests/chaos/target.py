"""An instance that breaks now and then, with data that must not."""

from dataclasses import dataclass

from tests.chaos.data import DATA, WANTED
from tests.e2e.guest import Guest
from tests.e2e.host import PREFIX
from tests.e2e.installation import Installation

SERVICES = {"mysql": "mysql", "mongodb": "mongod"}
"""Units in the guest by the engine's name."""
PASSWORD = "Given-by-the-user-4711"
DIRECTORIES = {"mysql": "/var/lib/mysql", "mongodb": "/var/lib/mongodb"}


@dataclass(frozen=True)
class Target:
    """An instance with the user and the database `app`."""

    coffer: Installation
    engine: str
    guest: Guest

    @property
    def path(self) -> str:
        """Of the instance, below the project."""
        return f"/instances/{self.guest.id}"

    @property
    def unit(self) -> str:
        """The engine's."""
        return SERVICES[self.engine]

    @property
    def link(self) -> str:
        """The host's end of the guest's link."""
        return f"{PREFIX}{self.guest.address.rsplit('.', 1)[1]}"

    def fill(self) -> None:
        """Write the data."""
        DATA[self.engine].fill(self.guest)

    def empty(self) -> None:
        """Take the data away."""
        DATA[self.engine].empty(self.guest)

    def is_intact(self) -> bool:
        """Whether all data are there."""
        return DATA[self.engine].read(self.guest) == WANTED


def begin_target(coffer: Installation, engine: str, name: str) -> tuple[Target, str]:
    """A new one in the making, without its data yet, and the operation."""
    wish = [engine, name, "--flavor", "small", "--volume", "1", "--user", "app", "--no-wait"]
    made = coffer.ask("instance", "create", *wish, "--password-file", "-", stdin=PASSWORD)
    guest = Guest(made["instance"]["id"], name, PASSWORD, coffer.ca_file())
    return Target(coffer, engine, guest), made["operation"]["id"]


def begin_restored(source: Target, backup: str, name: str) -> tuple[Target, str]:
    """An instance in the making that is what the backup of another one holds, and the operation."""
    wish = [source.engine, name, "--flavor", "small", "--volume", "20", "--backup", backup]
    made = source.coffer.ask("instance", "create", *wish, "--no-wait")
    guest = Guest(made["instance"]["id"], name, source.guest.password, source.guest.ca)
    return Target(source.coffer, source.engine, guest), made["operation"]["id"]


def begin_replica(source: Target, name: str) -> tuple[Target, str]:
    """A replica in the making, and the operation."""
    body = {"instance": {"name": name, "replica_of": source.guest.id}}
    answer = source.coffer.api.send("POST", "/instances", body)
    assert answer.status == 200, answer
    key = answer.document["instance"]["id"]
    guest = Guest(key, name, source.guest.password, source.guest.ca)
    return Target(source.coffer, source.engine, guest), answer.operation


def make_target(coffer: Installation, engine: str, name: str) -> Target:
    """A new one, with its data."""
    target, operation = begin_target(coffer, engine, name)
    assert coffer.ended(operation)["state"] == "succeeded"
    coffer.healthy(target.guest.id)
    target.fill()
    return target
