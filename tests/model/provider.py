"""Guests and repositories in memory, in which playbooks do at once what their names say."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from tests.model.compute import Compute, Server
from worker.events import Recorder
from worker.playbook import Result
from worker.watch import Watch

FAILING_TASK = "Prove"


class Fate(StrEnum):
    """What becomes of a run of a playbook, before or after it did its work."""

    WELL = "well"
    FAILS = "fails before"
    FAILS_LATE = "fails after"
    WORKER_DIES = "its worker dies before"
    WORKER_DIES_LATE = "its worker dies after"
    KILLED = "is killed before"
    KILLED_LATE = "is killed after"

    @property
    def is_late(self) -> bool:
        """The work is done, and nobody hears of it."""
        return self in (Fate.WELL, Fate.FAILS_LATE, Fate.WORKER_DIES_LATE, Fate.KILLED_LATE)

    @property
    def fails(self) -> bool:
        """The playbook ends badly."""
        return self in (Fate.FAILS, Fate.FAILS_LATE)

    @property
    def kills_worker(self) -> bool:
        """Nobody is left who could write an end."""
        return self in (Fate.WORKER_DIES, Fate.WORKER_DIES_LATE)


class Unreachable(Exception):
    """The guest is not there: its deletion has failed after it was gone."""


class WorkerDied(BaseException):
    """kill -9 of a worker: nothing that it would have done next happens."""


@dataclass
class Guest(Server):
    """A database server with one engine."""

    token: str = ""
    running: bool = True
    databases: set[str] = field(default_factory=set)
    users: dict[str, set[str]] = field(default_factory=dict)
    """Databases by the user's name."""
    configuration: dict[str, Any] = field(default_factory=dict)
    follows: str | None = None
    """Id of its source."""

    @property
    def lists(self) -> dict[str, Any]:
        """Databases and users as an agent reports them."""
        return {
            "databases": [{"name": name} for name in sorted(self.databases)],
            "users": [
                {"name": name, "host": "%", "databases": [{"name": each} for each in sorted(may)]}
                for name, may in sorted(self.users.items())
            ],
        }


Hosts = list[dict[str, Any]]


class Provider:
    """All guests, by their instances' ids, and all snapshots, by their repositories'."""

    def __init__(self) -> None:
        self._compute = Compute(Guest)
        self.guests = self._compute.guests
        self.snapshots: dict[str, set[str]] = {}
        self.fates: list[Fate] = []
        """Of the next runs; all further ones go well."""
        self._numbers = itertools.count(1)

    def play(self, playbook: str, directory: Path, recorder: Recorder, watch: Watch) -> Result:
        """As worker.playbook.play."""
        watch.look()
        if watch.must_stop():
            return Result(False, reason="stopped")
        fate = self.fates.pop(0) if self.fates else Fate.WELL
        try:
            facts = self._do(playbook, directory) if fate.is_late else {}
        except Unreachable:
            fate, facts = Fate.FAILS, {}
        if fate.kills_worker:
            raise WorkerDied
        if fate.fails:
            return Result(False, {}, "it broke", FAILING_TASK)
        return Result(fate is Fate.WELL, facts, died=fate is not Fate.WELL)

    def _do(self, playbook: str, directory: Path) -> dict[str, Any]:
        hosts, secrets = _inputs(directory)
        return self._PLAYS[playbook](self, hosts, secrets) or {}

    def _of(self, host: dict[str, Any]) -> Guest:
        if host["coffer_instance_id"] not in self.guests:
            raise Unreachable
        return self.guests[host["coffer_instance_id"]]

    def _make(self, hosts: Hosts, secrets: dict[str, Any]) -> dict[str, Any]:
        host = hosts[0]
        facts = self._compute.create(host)
        guest = self._of(host)
        guest.token = secrets["coffer_guest_token"]
        guest.databases |= {row["name"] for row in secrets.get("coffer_databases", [])}
        guest.configuration = host["coffer_configuration"]
        guest.follows = host["coffer_source"].get("id")
        return facts

    def _size(self, hosts: Hosts, _secrets: dict[str, Any]) -> None:
        self._of(hosts[0])
        self._compute.resize(hosts[0])
        self._compute.grow_volume(hosts[0])

    def _delete(self, hosts: Hosts, _secrets: dict[str, Any]) -> dict[str, Any]:
        return self._compute.delete(hosts[0])

    def _reboot(self, hosts: Hosts, secrets: dict[str, Any]) -> None:
        self._of(hosts[0])
        self._compute.stop(hosts[0])
        self._compute.start(hosts[0])
        self._start(hosts, secrets)

    def _verify(self, hosts: Hosts, _secrets: dict[str, Any]) -> None:
        backup, repository = hosts[0]["coffer_backup"], hosts[0]["coffer_repository"]
        assert backup["snapshot"] in self.snapshots[repository]

    def _restore(self, hosts: Hosts, secrets: dict[str, Any]) -> dict[str, Any]:
        self._verify(hosts, secrets)
        return self._make(hosts, secrets)

    def _start(self, hosts: Hosts, _secrets: dict[str, Any]) -> None:
        self._of(hosts[0]).running = True

    def _stop(self, hosts: Hosts, _secrets: dict[str, Any]) -> None:
        self._of(hosts[0]).running = False

    def _look(self, hosts: Hosts, _secrets: dict[str, Any]) -> None:
        self._of(hosts[0])

    def _configure(self, hosts: Hosts, _secrets: dict[str, Any]) -> None:
        self._of(hosts[0]).configuration = hosts[0]["coffer_configuration"]

    def _accounts(self, hosts: Hosts, secrets: dict[str, Any]) -> dict[str, Any]:
        guest = self._of(hosts[0])
        for row in secrets.get("coffer_databases", []):
            if row.get("state") == "absent":
                guest.databases.discard(row["name"])
            else:
                guest.databases.add(row["name"])
        for row in secrets.get("coffer_users", []):
            if row.get("state") == "absent":
                guest.users.pop(row["name"], None)
            else:
                guest.users[row["name"]] = {each["name"] for each in row.get("databases", [])}
        return guest.lists

    def _back_up(self, hosts: Hosts, _secrets: dict[str, Any]) -> dict[str, Any]:
        self._of(hosts[0])
        snapshot = f"s{next(self._numbers)}"
        self.snapshots.setdefault(hosts[0]["coffer_repository"], set()).add(snapshot)
        made = {"snapshot": snapshot, "size": 1, "stored": 1, "seconds": 1.0, "details": {}}
        return {"backup": made}

    def _delete_backups(self, hosts: Hosts, _secrets: dict[str, Any]) -> None:
        self.snapshots[hosts[0]["coffer_repository"]] -= set(hosts[0]["coffer_snapshots"])

    def _replicate(self, hosts: Hosts, _secrets: dict[str, Any]) -> None:
        for host in hosts:
            self._of(host).follows = host["coffer_source"].get("id")

    def _eject(self, hosts: Hosts, _secrets: dict[str, Any]) -> dict[str, Any]:
        chosen, *rest = (host["coffer_instance_id"] for host in hosts[:-1])
        self.guests[chosen].follows = None
        for key in rest:
            self.guests[key].follows = chosen
        return {"replication": {"source": chosen}}

    def _eject_undo(self, hosts: Hosts, secrets: dict[str, Any]) -> None:
        self._replicate(hosts[:-1], secrets)

    _PLAYS: dict[str, Callable[["Provider", Hosts, dict[str, Any]], dict[str, Any] | None]] = {
        "instance_create": _make,
        "replica_create": _make,
        "instance_restore": _restore,
        "instance_delete": _delete,
        "instance_restart": _start,
        "instance_reboot": _reboot,
        "instance_stop": _stop,
        "instance_resize": _size,
        "access": _look,
        "accounts": _accounts,
        "configuration": _configure,
        "backup_create": _back_up,
        "backup_stop": _look,
        "backup_delete": _delete_backups,
        "backup_verify": _verify,
        "replica_promote": _replicate,
        "replica_detach": _replicate,
        "replica_eject": _eject,
        "replica_eject_undo": _eject_undo,
    }


def _inputs(directory: Path) -> tuple[Hosts, dict[str, Any]]:
    """Hosts, those that shall be replicas first, and secrets, as a worker wrote them."""
    inventory = _read(directory / "inventory" / "hosts.yml")["all"]
    replicas = inventory["children"]["run_replicas"]["hosts"]
    names = sorted(inventory["hosts"], key=lambda name: name not in replicas)
    secrets = _read(directory / "env" / "extravars")
    return [inventory["hosts"][name] for name in names], secrets


class _Loader(yaml.CSafeLoader):
    """Takes what is marked unsafe for what it is: data."""


_Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_mapping(node, deep=True))


def _read(path: Path) -> Any:
    return yaml.load(path.read_text(), _Loader)  # noqa: S506 - a safe loader
