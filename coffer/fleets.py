"""Choosing instances for work on many of them, and the order in which it goes."""

import fnmatch
from collections.abc import Iterable, Mapping

from coffer.errors import BadRequest, Forbidden
from coffer.models import Datastore, DatastoreVersion, Instance

KEYS = ("engine", "version", "project", "name")
"""What a selector may name: the datastore, its version, the project, a pattern of names."""
EVERY_PROJECT = "*"


def select(selector: Mapping[str, str], project_id: str, is_admin: bool) -> list[Instance]:
    """Instances that fit all parts of a selector, of the caller's project where none is named.

    Raises:
        BadRequest: a part is unknown, or nothing fits.
        Forbidden: another project is named by one who is not an administrator.
    """
    _check(selector)
    project = selector.get("project", project_id)
    if project != project_id and not is_admin:
        raise Forbidden("selector: only an administrator may name another project")
    query = Instance.select(Instance, DatastoreVersion, Datastore)
    query = query.join(DatastoreVersion).join(Datastore).where(Instance.deleted.is_null())
    if project != EVERY_PROJECT:
        query = query.where(Instance.project_id == project)
    if "engine" in selector:
        query = query.where(Datastore.name == selector["engine"])
    if "version" in selector:
        query = query.where(DatastoreVersion.name == selector["version"])
    pattern = selector.get("name", "*")
    found = [row for row in query if fnmatch.fnmatchcase(row.name, pattern)]
    if not found:
        raise BadRequest(f"selector: no instance has {_told(selector)}")
    return found


def _check(selector: Mapping[str, str]) -> None:
    if not selector:
        raise BadRequest(f"selector: give at least one of {', '.join(KEYS)}")
    for key in selector:
        if key not in KEYS:
            raise BadRequest(f"selector: '{key[:40]}' is not one of {', '.join(KEYS)}")


def _told(selector: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in selector.items())


def ordered(instances: Iterable[Instance], canary: str | None) -> list[Instance]:
    """The canary (an id) first, then by name, and what has replicas among them last.

    Raises:
        BadRequest: the canary is not among them, or it has replicas there, which go before it.
    """
    rows = {row.id: row for row in instances}
    primaries = {row.source_id for row in rows.values()} & rows.keys()
    if canary is not None and (canary not in rows or canary in primaries):
        why = "has replicas, which come first" if canary in rows else "is not among the instances"
        raise BadRequest(f"canary: {canary} {why}")
    return sorted(
        rows.values(), key=lambda row: (row.id != canary, row.id in primaries, row.name, row.id)
    )
