"""What the provider remembers of a guest: one JSON file, there before anything else is made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .files import locked, read_text, temp_of, write_atomic
from .settings import Settings


@dataclass
class Guest:
    """What should run. memory: MiB; disk: GiB; wanted: running or stopped.

    applied: the limits that the container has; empty until it ran for the first time.
    rebuild: `remove` until the root disk of the image before is gone, then `make` until the guest
    ran on its new one.
    """

    image: str
    data_directory: str
    cpus: float
    memory: int
    disk: int
    wanted: str = "running"
    applied: list[float] = field(default_factory=list)
    rebuild: str = ""

    @property
    def limits(self) -> list[float]:
        """What can change while the guest runs."""
        return [self.cpus, self.memory]


@dataclass
class Record:
    """One guest. volumes: name -> GiB. access: port and cidrs; None keeps the engine closed."""

    instance: str
    address: str
    volumes: dict[str, int] = field(default_factory=dict)
    guest: Guest | None = None
    access: dict[str, Any] | None = None


def path_of(settings: Settings, instance: str) -> Path:
    return settings.state_dir / "instances" / f"{instance}.json"


def load(settings: Settings, instance: str) -> Record | None:
    """The record, or None when the provider has never heard of this instance."""
    text = read_text(path_of(settings, instance))
    if text is None:
        return None
    values = json.loads(text)
    guest = values.pop("guest")
    return Record(**values, guest=Guest(**guest) if guest else None)


def save(settings: Settings, record: Record) -> None:
    path = path_of(settings, record.instance)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps(asdict(record), indent=1))


def forgotten(settings: Settings, instance: str) -> bool:
    return not any(path.exists() for path in _files(settings, instance))


def forget(settings: Settings, instance: str) -> None:
    for path in _files(settings, instance):
        path.unlink(missing_ok=True)


def _files(settings: Settings, instance: str) -> list[Path]:
    path = path_of(settings, instance)
    return [path, temp_of(path)]


def everything(settings: Settings) -> list[Record]:
    """All records, by instance id."""
    names = sorted(path.stem for path in (settings.state_dir / "instances").glob("[!.]*.json"))
    return [record for name in names if (record := load(settings, name))]


def ensure(settings: Settings, instance: str) -> Record:
    """The record with its address, made if there is none: the one place that takes addresses."""
    with locked(settings.host_lock):
        record = load(settings, instance)
        if record is None:
            record = Record(instance, _next_address(settings))
            save(settings, record)
        return record


def cursor_of(settings: Settings) -> Path:
    """Holds the number, within the subnet, of the address given last."""
    return settings.state_dir / "last-address"


@contextmanager
def holding(settings: Settings, instance: str, check: bool) -> Iterator[None]:
    """One change at a time to a guest; a look takes no lock and leaves no file.

    A killed run's module may still be at work: the next run waits for it here.
    """
    if check:
        yield
        return
    lock = settings.state_dir / "locks" / instance
    with locked(lock):
        try:
            yield
        finally:
            if not path_of(settings, instance).exists():
                lock.unlink()


@contextmanager
def holding_host(settings: Settings, check: bool) -> Iterator[None]:
    """For what all guests share. A look takes no lock and leaves no file."""
    if check:
        yield
        return
    with locked(settings.host_lock):
        yield


def _next_address(settings: Settings) -> str:
    """The next free address after the one given last.

    A released address rests as long as possible: a peer may hold a connection to its last user.
    """
    cursor = cursor_of(settings)
    used = {record.address for record in everything(settings)}
    size = settings.network.num_addresses
    first = int(read_text(cursor) or 1)
    for step in range(1, size):
        number = (first + step - 2) % (size - 3) + 2
        address = str(settings.network[number])
        if address not in used:
            write_atomic(cursor, str(number))
            return address
    raise ValueError(f"no free address left in {settings.subnet}")
