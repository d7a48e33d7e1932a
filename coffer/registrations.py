"""Backups that lie elsewhere, entered in the records: another control plane made them.

Their location is `coffer://SOURCE/REPOSITORY/SNAPSHOT`, as the other one shows it. Where a source
lies is a setting (`backup_sources`): what users write is never rclone's to interpret. Who knows a
repository's key may read it; nothing of it is ever changed or deleted from here.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from coffer.backup_ends import RESTORED
from coffer.callers import Caller
from coffer.catalogue import Catalogue
from coffer.database import transaction
from coffer.errors import BadRequest, Conflict
from coffer.models import Backup, DatastoreVersion, Repository
from coffer.quotas import Quotas
from coffer.repositories import Repositories
from coffer.restic import look

LOCATION = re.compile(
    r"coffer://([A-Za-z0-9_.-]{1,64})/"
    r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/([0-9a-f]{8,64})"
)


@dataclass(frozen=True, kw_only=True)
class Registration:
    """A backup that shall be known here; `version` is the one that instances of it will have."""

    name: str
    description: str | None
    location: str
    key: str
    version: DatastoreVersion


class Registrations:
    """Requests to register backups."""

    def __init__(self, catalogue: Catalogue, repositories: Repositories, quotas: Quotas) -> None:
        self._catalogue = catalogue
        self._repositories = repositories
        self._quotas = quotas

    def register(self, wish: Registration, caller: Caller) -> Backup:
        """Look at it where it lies, and record it (status RESTORED).

        Raises:
            BadRequest: the location, the key or the version does not do; naming the field.
            Conflict: it is known here already.
            OverLimit: the project has as many backups as it may.
        """
        source, repository_id, snapshot = _parse(wish.location)
        told = self._repositories.environment_of(source, repository_id, wish.key)
        found, size = look(told, snapshot)
        facts = self._facts(found, wish.version)
        with transaction():
            self._quotas.reserve(caller.project_id, backups=1)
            repository = self._repositories.enter(
                repository_id, source, wish.key, caller.project_id
            )
            _require_new(repository, found["id"])
            backup: Backup = Backup.create(
                project_id=caller.project_id,
                name=wish.name,
                description=wish.description,
                version=wish.version,
                repository=repository,
                method=facts["method"],
                status=RESTORED,
                snapshot=found["id"],
                size=size,
                details={"kind": facts["kind"], "path": found["paths"][0]},
                created=_moment(found["time"]),
            )
        return backup

    def _facts(self, found: dict[str, Any], version: DatastoreVersion) -> dict[str, str]:
        """What the backup's tags tell, if an instance of the version can begin with it."""
        facts = dict(tag.split("=", 1) for tag in found.get("tags") or [] if "=" in tag)
        if not {"engine", "version", "method", "kind"} <= facts.keys():
            raise BadRequest("restore_from.remote_location: the snapshot is not a whole backup")
        if facts["engine"] != version.manager:
            raise BadRequest(
                f"restore_from.local_datastore_version_id: the backup is of {facts['engine']}, "
                f"the version of {version.manager}"
            )
        if _number(facts["version"]) > _number(version.version):
            raise BadRequest(
                f"restore_from.local_datastore_version_id: the backup is of version "
                f"{facts['version']}, newer than {version.version}"
            )
        return facts


def _parse(location: str) -> list[str]:
    found = LOCATION.fullmatch(location)
    if found is None:
        raise BadRequest(
            "restore_from.remote_location: write coffer://SOURCE/REPOSITORY/SNAPSHOT, "
            "as the control plane that made the backup shows it"
        )
    return list(found.groups())


def _require_new(repository: Repository, snapshot: str) -> None:
    known = Backup.get_or_none(Backup.repository == repository, Backup.snapshot == snapshot)
    if known is not None:
        raise Conflict(f"restore_from: it is backup {known.id} already")


def _number(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def _moment(text: str) -> datetime:
    """restic's time (nanoseconds, any zone) as the records keep times."""
    read = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    return read.astimezone(UTC).replace(tzinfo=None)
