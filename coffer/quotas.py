"""Quotas: how much a project may have.

What is in use is counted from the records whenever it is asked for, so that it cannot drift; what
takes more locks the project's row first, so that it is exact however many ask at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from peewee import fn

from coffer.backup_ends import MAKES
from coffer.catalogue import Catalogue
from coffer.database import transaction
from coffer.errors import BadRequest, NotFound, OverLimit
from coffer.models import Backup, Instance, Operation, Project
from coffer.operations import ACTIVE_STATES
from coffer.settings import Settings

UNLIMITED = -1
RESIZES = "instance_resize"
UNITS = {"instances": "", "ram": " MB", "volumes": " GB", "backups": ""}
"""The resources (Trove's names) and what they are counted in."""


@dataclass(frozen=True)
class Usage:
    """One resource of one project; `limit` -1 is no limit."""

    resource: str
    in_use: int
    reserved: int
    """What operations under way will add."""
    limit: int


class Quotas:
    """Counts and limits of projects."""

    def __init__(self, settings: Settings, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.defaults = {name: int(getattr(settings, f"quota_{name}")) for name in UNITS}

    def limits(self, project_id: str) -> dict[str, int]:
        """The most that the project may have of each resource."""
        row = Project.get_or_none(Project.id == project_id)
        return self.defaults | (row.limits if row else {})

    def usage(self, project_id: str) -> list[Usage]:
        """All resources of a project."""
        limits = self.limits(project_id)
        used, reserved = self._used(project_id), self._reserved(project_id)
        return [Usage(name, used[name], reserved[name], limits[name]) for name in UNITS]

    def change(self, project_id: str, limits: Mapping[str, int | None]) -> dict[str, int]:
        """Set limits, None leaves one as it is; returns those that were set.

        Raises:
            NotFound: there is no such resource.
            BadRequest: a limit is below -1.
        """
        wanted = {name: limit for name, limit in limits.items() if limit is not None}
        for name, limit in wanted.items():
            if name not in UNITS:
                raise NotFound(f"quotas: '{name}' is not one of {', '.join(UNITS)}")
            if limit < UNLIMITED:
                raise BadRequest(f"quotas.{name}: {limit} is below -1, which means no limit")
        if wanted:
            with transaction():
                row = _lock(project_id)
                row.limits = row.limits | wanted
                row.save()
        return wanted

    def reserve(self, project_id: str, **wanted: int) -> None:
        """Make sure that the project may have this much more; runs in the caller's transaction.

        Whoever takes more of a resource calls this first and writes what it takes in the same
        transaction: another taker of the project waits until that is over.

        Raises:
            OverLimit: naming the resource.
        """
        self.lock(project_id)
        for usage in self.usage(project_id):
            more = wanted.get(usage.resource, 0)
            taken = usage.in_use + usage.reserved
            if more > 0 and UNLIMITED < usage.limit < taken + more:
                unit = UNITS[usage.resource]
                raise OverLimit(
                    f"quota '{usage.resource}' exceeded: {taken}{unit} of {usage.limit}{unit} "
                    f"are taken, {more}{unit} more were asked for"
                )

    def readmit(self, operation: Operation) -> None:
        """Make sure that a failed operation may take again what it gave back when it failed.

        Raises:
            OverLimit: naming the resource.
        """
        if operation.kind == MAKES:
            self.reserve(operation.project_id, backups=1)
        if operation.kind == RESIZES:
            self.reserve(operation.project_id, **self._growth(operation))

    @staticmethod
    def lock(project_id: str) -> None:
        """Let others who call this for the project wait until the transaction ends."""
        _lock(project_id)

    def _used(self, project_id: str) -> dict[str, int]:
        rows: Any = (
            Instance.select(Instance.flavor_id, fn.COUNT(Instance.id), fn.SUM(Instance.volume_size))
            .where(Instance.project_id == project_id, Instance.deleted.is_null())
            .group_by(Instance.flavor_id)
            .tuples()
        )
        used = dict.fromkeys(UNITS, 0)
        for flavor_id, count, volumes in rows:
            used["instances"] += count
            used["ram"] += count * self.ram(flavor_id)
            used["volumes"] += int(volumes)
        backups = Backup.select().where(Backup.project_id == project_id, Backup.status != "FAILED")
        used["backups"] = backups.count()
        return used

    def _reserved(self, project_id: str) -> dict[str, int]:
        """What resizes under way will add to what their instances have."""
        reserved = dict.fromkeys(UNITS, 0)
        query = (
            Operation.select(Operation, Instance)
            .join(Instance)
            .where(
                Operation.project_id == project_id,
                Operation.state.in_(ACTIVE_STATES),
                Operation.kind == RESIZES,
            )
        )
        for operation in query:
            for name, more in self._growth(operation).items():
                reserved[name] += max(0, more)
        return reserved

    def _growth(self, operation: Operation) -> dict[str, int]:
        """What a resize adds to what its instance has."""
        instance: Any = operation.instance
        changes, more = operation.changes, {}
        if "volume_size" in changes:
            more["volumes"] = changes["volume_size"] - instance.volume_size
        if "flavor_id" in changes:
            more["ram"] = self.ram(changes["flavor_id"]) - self.ram(instance.flavor_id)
        return more

    def ram(self, flavor_id: str) -> int:
        """MB; 0 for a flavor that the provider no longer has."""
        try:
            return self._catalogue.flavor(flavor_id).ram
        except NotFound:
            return 0


def _lock(project_id: str) -> Project:
    """The project's row, made if need be; nobody else has it until the transaction ends."""
    Project.insert(id=project_id).on_conflict_ignore().execute()
    Project.update(limits=Project.limits).where(Project.id == project_id).execute()
    row: Project = Project.get_by_id(project_id)
    return row
