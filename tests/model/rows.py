"""What the model knows of an instance, an operation, a backup."""

from dataclasses import dataclass, field
from typing import Any

from coffer.operations import KINDS, Kind

RAM = {"tiny": 512, "small": 1024, "medium": 2048}
"""MB, of the flavors that are asked for."""
ACTIVE = ("queued", "running")
RETRYABLE = ("failed", "aborted", "expired")
GONE = "DELETED"
PART_KINDS = {"replica_create": "replica_source"}
LEAVING = ("replica_detach", "instance_delete")


@dataclass
class Row:
    """An instance."""

    id: str
    flavor: str
    volume: int
    state: str = "BUILD"
    health: str = ""
    built: bool = False
    silent: bool = False
    """Its guest does not report."""
    source: str | None = None
    group: str | None = None
    databases: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=set)


@dataclass
class Op:
    """An operation; with its parts it has several instances, its own first."""

    id: str
    kind: str
    instances: list[str]
    number: int
    changes: dict[str, Any] = field(default_factory=dict)
    backups: list[str] = field(default_factory=list)
    state: str = "queued"
    undoing: bool = False
    outcome: str = "failed"
    attempt: int = 0
    attempts: int = 0
    abort: bool = False
    late: bool = False
    lost: bool = False
    """It runs, but its worker is dead."""
    locks: set[str] = field(default_factory=set)

    @property
    def table(self) -> Kind:
        """What the table of operations says of it."""
        return KINDS[self.kind]

    @property
    def active(self) -> bool:
        """It has not ended."""
        return self.state in ACTIVE

    def word(self, instance: str) -> str | None:
        """The status that it gives an instance while it is under way."""
        own = instance == self.instances[0]
        return KINDS[self.kind if own else PART_KINDS.get(self.kind, self.kind)].status


@dataclass
class BackupRow:
    """A backup; `maker` is its operation."""

    id: str
    instance: str
    maker: str
    status: str = "NEW"
    parent: str | None = None
