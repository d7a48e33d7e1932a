"""Replicas: what a body asks for, and how they are shown."""

from typing import Any

from msgspec import UNSET, UnsetType

from api.call import Call
from api.lookup import find_configuration, find_instance
from api.requests import access_of, require_possible
from api.schemas.common import Reference, last_segment
from api.schemas.instance import DatastoreIn, InstanceIn, Replication
from coffer.errors import BadRequest
from coffer.models import Instance
from coffer.replicas import ReplicaWish, require_same_project
from coffer.settings import Settings

_OF_THE_SOURCE = (
    "flavorRef",
    "flavor",
    "volume",
    "datastore",
    "locality",
    "databases",
    "users",
    "restorePoint",
)
"""What a replica has of its source, or cannot begin with."""
_NOTHING: tuple[Any, ...] = (UNSET, None, [], DatastoreIn())


def replicas_wanted(call: Call, body: InstanceIn, settings: Settings) -> ReplicaWish:
    """The new replicas that a body asks for; what it names is looked for.

    Raises:
        BadRequest, NotFound, NotSupported: naming the field.
    """
    for key in _OF_THE_SOURCE:
        if getattr(body, key) not in _NOTHING:
            raise BadRequest(f"{key}: a replica has this of its source, do not give it")
    require_possible(body, settings)
    source = find_instance(call, last_segment(str(body.replica_of)))
    require_same_project(source, call.project_id)
    group = body.configuration
    return ReplicaWish(
        name=body.name,
        source=source,
        count=body.replica_count or 1,
        access=access_of(body.access),
        configuration=find_configuration(call, last_segment(group)) if group else None,
    )


def source_reference(call: Call, instance: Instance) -> Reference | UnsetType:
    """Whom an instance follows."""
    return _reference(call, instance.source_id) if instance.source_id else UNSET


def replica_references(call: Call, replica_ids: list[str]) -> list[Reference] | UnsetType:
    """Who follows an instance; unset when nobody does."""
    return [_reference(call, key) for key in replica_ids] or UNSET


def _reference(call: Call, key: str) -> Reference:
    return Reference(id=key, links=call.links("instances", key))


def replication_view(instance: Instance, report: dict[str, Any] | None) -> Replication | UnsetType:
    """How well a replica follows, as its guest last reported."""
    told = (report or {}).get("replication")
    if not instance.source_id or not told:
        return UNSET
    return Replication(lag=told.get("lag"), message=told.get("message") or UNSET)
