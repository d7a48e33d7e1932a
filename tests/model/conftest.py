"""The provider in memory as the contract of a provider sees it."""

import copy
import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.model.compute import Compute, Died, Server
from tests.roles.contract import Created
from tests.roles.inside import DIRECTORY
from tests.roles.provider import Outcome

FLAVOR = {"id": "a", "ram": 512, "disk": 1}
LARGER = {"id": "b", "ram": 768, "disk": 2}
STEPS = range(1, 6)
"""Of a create, and of a delete."""


@dataclass
class Within:
    """As tests.roles.inside.Inside."""

    guest: Server

    def answers(self) -> bool:
        return self.guest.on

    def boot(self) -> str:
        return str(self.guest.boots) if self.guest.on else ""

    def size_of(self, path: str) -> int:
        return self.guest.disks[path].size

    def holds(self, memory: int) -> bool:
        return self.guest.on and memory < int(self.guest.flavor["ram"])

    def write(self, word: str) -> None:
        assert self.guest.on
        for disk in self.guest.disks.values():
            disk.word = word

    def words(self) -> list[str]:
        assert self.guest.on
        return [disk.word for disk in self.guest.disks.values() if disk.word]


@dataclass
class InMemory:
    """As tests.roles.contract.Provider."""

    compute: Compute[Server] = field(default_factory=lambda: Compute(Server))
    data: dict[str, Any] = field(
        default_factory=lambda: {
            "flavor": FLAVOR,
            "larger": LARGER,
            "disks": ["disks"],
            "one_a_guest": ["guests"],
            "interruptions": [
                {"after": steps, "then": then} for steps in STEPS for then in ("create", "delete")
            ],
            "interrupted_deletes": [{"after": steps} for steps in STEPS],
            "interrupted_rollback": {"after": 2},
            "at_once": 10,
        }
    )
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @staticmethod
    def instance() -> str:
        return str(uuid.uuid4())

    def run(self, verb: str, *instances: str, check: bool = False, **more: Any) -> Outcome:
        """Check mode makes its steps on a copy."""
        compute = copy.deepcopy(self.compute) if check else self.compute
        if verb == "resume":
            before = compute.steps
            compute.resume()
            return Outcome(0, int(compute.steps > before), {}, "")
        changed, facts = 0, None
        for key in instances:
            before = compute.steps
            found = compute.VERBS[verb](compute, _variables(key) | more)
            facts = facts or found
            changed += compute.steps > before
        return Outcome(0, changed, facts or {}, "")

    def interrupt(self, verb: str, instance: str, moment: dict[str, Any], **more: Any) -> None:
        """Kill a run after some of its steps."""
        with self._lock:
            self.compute.dies_at = self.compute.steps + moment["after"]
            with pytest.raises(Died):
                self.run(verb, instance, **more)

    def inside(self, created: Created) -> Within:
        return Within(self.compute.guests[created[0]])

    def traces(self) -> dict[str, str]:
        lines = [
            f"{key} {name} {path}\n"
            for key, guest in sorted(self.compute.guests.items())
            for name, disks in {"": guest.disks, **guest.snapshots}.items()
            for path in disks
        ]
        guests = "".join(f"{key}\n" for key in sorted(self.compute.guests))
        return {"guests": guests, "disks": "".join(lines)}


def _variables(key: str) -> dict[str, Any]:
    return {
        "coffer_instance_id": key,
        "coffer_image": None,
        "coffer_flavor": FLAVOR,
        "coffer_volume_size": 1,
        "coffer_data_directory": DIRECTORY,
    }


@pytest.fixture(scope="module")
def provider() -> InMemory:
    """Without a guest."""
    return InMemory()


@pytest.fixture
def instance(provider: InMemory) -> str:
    """A guest that is not there yet."""
    return provider.instance()


@pytest.fixture(scope="module")
def created(provider: InMemory) -> tuple[str, Outcome]:
    """A guest that several tests share, and how its creation went."""
    made = provider.instance()
    return made, provider.run("create", made)
