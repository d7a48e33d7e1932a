"""From bodies to what the rest of Coffer understands."""

from typing import Any

import msgspec
from msgspec import UNSET

from api.schemas.common import Reference, last_segment
from api.schemas.instance import AccessIn, InstanceIn
from coffer.cidrs import check_cidrs
from coffer.datastores import find_datastore, find_version
from coffer.errors import BadRequest, NotSupported
from coffer.instances import Wish

_LATER = ("replica_of", "restorePoint", "configuration", "modules")
"""Parts of a creation that this version does not do: refused, never ignored."""


def wish_of(body: InstanceIn, default_datastore: str) -> Wish:
    """The new instance that a body asks for.

    Raises:
        BadRequest, NotFound, NotSupported: naming the field.
    """
    for key in _LATER:
        if getattr(body, key) not in (UNSET, None, []):
            raise NotSupported(f"{key}: this is not supported yet")
    if body.volume is None:
        raise BadRequest("volume.size: Volume size was not specified.")
    datastore = find_datastore(body.datastore.type or default_datastore)
    version = find_version(datastore, body.datastore.version, body.datastore.version_number)
    return Wish(
        name=body.name,
        version=version,
        flavor_id=_flavor(body),
        volume_size=int(body.volume.size),
        databases=[msgspec.to_builtins(row) for row in body.databases or []],
        users=[{"host": "%"} | _without_none(row) for row in body.users or []],
        access=access_of(body.access),
    )


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
        known = ", ".join(body.__struct_fields__)
        raise BadRequest(f"give exactly one of {known}")
    return str(given[0])


def _flavor(body: InstanceIn) -> str:
    given = body.flavorRef if body.flavorRef is not None else body.flavor
    if given is None:
        raise BadRequest("flavorRef: is required")
    return last_segment(given.id if isinstance(given, Reference) else str(given))


def _without_none(row: Any) -> dict[str, Any]:
    return {key: value for key, value in msgspec.to_builtins(row).items() if value is not None}
