"""Guests in memory, under the contract of a compute provider: test_provider_contract.py."""

import copy
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Host = dict[str, Any]
"""An instance's variables, as a role is given them."""
ROOT = "/"
DISKS = ("root", "data")


class Died(BaseException):
    """kill -9 of a run: the steps that it made are made."""


@dataclass
class Disk:
    """GiB, and a word that was written on it."""

    size: int
    word: str = ""


@dataclass
class Server:
    """A guest; what is installed in it is nothing to its provider."""

    address: str
    image: str | None = None
    flavor: dict[str, Any] = field(default_factory=dict)
    data: str = ""
    """Where its volume is mounted."""
    disks: dict[str, Disk] = field(default_factory=dict)
    """By the directory where they are mounted."""
    snapshots: dict[str, dict[str, Disk]] = field(default_factory=dict)
    wanted: bool = False
    """It shall run, also after the host was away."""
    on: bool = False
    boots: int = 0

    @property
    def volume_size(self) -> int:
        """GiB."""
        return self.disks[self.data].size if self.data in self.disks else 0


AnyServer = TypeVar("AnyServer", bound=Server)


def _name(path: str) -> str:
    return DISKS[path != ROOT]


class Compute(Generic[AnyServer]):
    """All guests by their instances' ids. Each verb makes steps, and only those that are due."""

    def __init__(self, kind: type[AnyServer]) -> None:
        self.guests: dict[str, AnyServer] = {}
        self.steps = 0
        """Made by all runs: one that makes none changes nothing."""
        self.dies_at: int | None = None
        """Number of the step after which a run is killed."""
        self._kind = kind
        self._numbers = itertools.count()

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self.dies_at:
            raise Died

    def create(self, host: Host) -> dict[str, Any]:
        key, data = host["coffer_instance_id"], host["coffer_data_directory"]
        if key not in self.guests:
            flavor, image = host["coffer_flavor"], host["coffer_image"]
            self.guests[key] = self._kind(self._address(), image, flavor, data)
            self._step()
        guest = self.guests[key]
        for path, size in ((ROOT, guest.flavor["disk"]), (data, host["coffer_volume_size"])):
            if path not in guest.disks:
                guest.disks[path] = Disk(size)
                self._step()
        self.resize(host)
        self.grow_volume(host)
        return self.start(host)

    def _address(self) -> str:
        number = next(self._numbers)
        return f"10.0.{number // 250}.{number % 250 + 2}"

    def facts(self, host: Host) -> dict[str, Any]:
        key = host["coffer_instance_id"]
        guest = self.guests.get(key)
        if guest is None:
            return {"compute": {}}
        volume = f"{key}-data"
        known = {"address": guest.address, "image": guest.image, "volume_id": volume}
        return {"compute": {"server_id": key, **known}}

    def start(self, host: Host) -> dict[str, Any]:
        guest = self.guests[host["coffer_instance_id"]]
        self._want(guest, on=True)
        self._bring_up(guest)
        return self.facts(host)

    def stop(self, host: Host) -> None:
        guest = self.guests[host["coffer_instance_id"]]
        self._want(guest, on=False)
        self._bring_down(guest)

    def _want(self, guest: Server, *, on: bool) -> None:
        if guest.wanted != on:
            guest.wanted = on
            self._step()

    def _bring_up(self, guest: Server) -> None:
        if not guest.on:
            guest.on, guest.boots = True, guest.boots + 1
            self._step()

    def _bring_down(self, guest: Server) -> None:
        if guest.on:
            guest.on = False
            self._step()

    def resume(self) -> None:
        for guest in self.guests.values():
            if guest.wanted:
                self._bring_up(guest)

    def resize(self, host: Host) -> None:
        guest, flavor = self.guests[host["coffer_instance_id"]], host["coffer_flavor"]
        if guest.flavor != flavor:
            guest.flavor = flavor
            self._step()
        self._grow(guest.disks[ROOT], flavor["disk"])

    def grow_volume(self, host: Host) -> None:
        guest = self.guests[host["coffer_instance_id"]]
        self._grow(guest.disks[guest.data], host["coffer_volume_size"])

    def _grow(self, disk: Disk, size: int) -> None:
        if disk.size < size:  # there is no way to make one smaller
            disk.size = size
            self._step()

    def snapshot(self, host: Host) -> None:
        guest, name = self.guests[host["coffer_instance_id"]], host["coffer_snapshot"]
        if name not in guest.snapshots:
            guest.snapshots[name] = copy.deepcopy(guest.disks)
            self._step()

    def forget_snapshot(self, host: Host) -> None:
        guest = self.guests[host["coffer_instance_id"]]
        if guest.snapshots.pop(host["coffer_snapshot"], None) is not None:
            self._step()

    def rollback(self, host: Host) -> dict[str, Any]:
        """Each disk uses its snapshot up: what is written later stays, also after a second run."""
        guest, name = self.guests[host["coffer_instance_id"]], host["coffer_snapshot"]
        kept, only = guest.snapshots.get(name, {}), host.get("coffer_snapshot_disks", DISKS)
        for path in [path for path in kept if _name(path) in only]:
            self._bring_down(guest)
            guest.disks[path].word = kept.pop(path).word
            self._step()
        if name in guest.snapshots and not kept:
            self.forget_snapshot(host)
        return self.start(host)

    def rebuild(self, host: Host) -> dict[str, Any]:
        guest = self.guests[host["coffer_instance_id"]]
        self._bring_down(guest)
        guest.disks[ROOT] = Disk(guest.flavor["disk"])
        guest.image = host["coffer_image"]
        self._step()
        return self.start(host)

    def delete(self, host: Host) -> dict[str, Any]:
        """What shall not run any more is first said: a resume must not bring it back."""
        guest = self.guests.get(host["coffer_instance_id"])
        if guest:
            self.stop(host)
            for path in list(guest.disks):
                del guest.disks[path]
                self._step()
            del self.guests[host["coffer_instance_id"]]
            self._step()
        return self.facts(host)

    VERBS: dict[str, Callable[["Compute[Any]", Host], dict[str, Any] | None]] = {
        verb.__name__: verb
        for verb in (
            *(create, delete, facts, start, stop, resize, grow_volume),
            *(snapshot, forget_snapshot, rollback, rebuild),
        )
    }
    """Entry points that run on an instance."""
