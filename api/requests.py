"""From bodies to what the rest of Coffer understands."""

from typing import Any

import msgspec
from msgspec import UNSET

from api.schemas.common import Reference, last_segment
from api.schemas.instance import AccessIn, DatastoreIn, InstanceIn
from coffer.cidrs import check_cidrs
from coffer.datastores import find_datastore, find_version
from coffer.errors import BadRequest, NotSupported
from coffer.instances import Wish
from coffer.models import Backup, Configuration, DatastoreVersion
from coffer.points import Point
from coffer.settings import Settings

_LATER = ("modules", "nics", "availability_zone")
"""Parts of a creation that this version or its providers do not do: refused, never ignored."""


def wish_of(
    body: InstanceIn,
    settings: Settings,
    backup: Backup | None = None,
    configuration: Configuration | None = None,
    point: Point | None = None,
) -> Wish:
    """The new instance that a body asks for; what it names has been found.

    `backup` and `point` are of its restorePoint.

    Raises:
        BadRequest, NotFound, NotSupported: naming the field.
    """
    require_possible(body, settings)
    if (body.replica_count or 1) > 1:
        raise BadRequest("replica_count: it goes with replica_of")
    if body.volume is None:
        raise BadRequest("volume.size: Volume size was not specified.")
    if body.volume.type:
        raise NotSupported("volume.type: the provider has no types to choose from")
    return Wish(
        name=body.name,
        version=_version(body, settings.default_datastore, backup),
        backup=backup,
        configuration=configuration,
        point=point,
        flavor_id=_flavor(body),
        volume_size=int(body.volume.size),
        databases=[msgspec.to_builtins(row) for row in body.databases or []],
        users=[{"host": "%"} | _without_none(row) for row in body.users or []],
        access=access_of(body.access),
        locality=body.locality or None,
    )


def require_possible(body: InstanceIn, settings: Settings) -> None:
    """Let only a body pass that asks for nothing which there is not.

    Raises:
        BadRequest, NotSupported: naming the field.
    """
    for key in _LATER:
        if getattr(body, key) not in (UNSET, None, []):
            raise NotSupported(f"{key}: this is not supported yet")
    if body.region_name not in (UNSET, None, settings.region):
        raise BadRequest(f"region_name: '{body.region_name}' is not '{settings.region}'")


def _version(body: InstanceIn, default: str, backup: Backup | None) -> DatastoreVersion:
    """The version that is named; an instance from a backup has the backup's unless one is."""
    given = body.datastore
    if backup is not None and given == DatastoreIn():
        return backup.version
    datastore = find_datastore(given.type or default)
    if backup is not None and given.version is None and given.version_number is None:
        default_version = backup.version
        if default_version.datastore_id == datastore.id:
            return default_version
    return find_version(datastore, given.version, given.version_number)


def access_of(body: AccessIn | None) -> dict[str, Any]:
    """The access settings that were given.

    Raises:
        BadRequest: an entry of `allowed_cidrs` is no address and no network.
    """
    access: dict[str, Any] = msgspec.to_builtins(body) if body else {}
    check_cidrs(access.get("allowed_cidrs", []))
    return access


def one_action(body: Any) -> str:
    """The name of the one key that an action's body holds.

    Raises:
        BadRequest: none, or more than one.
    """
    given = [key for key in body.__struct_fields__ if getattr(body, key) is not UNSET]
    if len(given) != 1:
        known = ", ".join(body.__struct_encode_fields__)
        raise BadRequest(f"give exactly one of {known}")
    return str(given[0])


def _flavor(body: InstanceIn) -> str:
    given = body.flavorRef if body.flavorRef is not None else body.flavor
    if given is None:
        raise BadRequest("flavorRef: is required")
    return last_segment(given.id if isinstance(given, Reference) else str(given))


def _without_none(row: Any) -> dict[str, Any]:
    return {key: value for key, value in msgspec.to_builtins(row).items() if value is not None}
