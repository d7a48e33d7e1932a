"""Replica sets: a source, and the instances that follow it."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from coffer.errors import BadRequest, Forbidden
from coffer.models import Instance


def replicas_of(source_ids: Iterable[str]) -> dict[str, list[str]]:
    """Ids of replicas by their source's, of those that have any; the oldest first."""
    rows: Any = (
        Instance.select(Instance.source, Instance.id)
        .where(Instance.source.in_(list(source_ids)), Instance.deleted.is_null())
        .order_by(Instance.created, Instance.id)
        .tuples()
    )
    found: dict[str, list[str]] = defaultdict(list)
    for source_id, replica_id in rows:
        found[source_id].append(replica_id)
    return dict(found)


def replicas(source: Instance) -> list[Instance]:
    """Replicas of an instance, the oldest first."""
    query = Instance.select().where(Instance.source == source.id, Instance.deleted.is_null())
    return list(query.order_by(Instance.created, Instance.id))


def others(instance: Instance) -> list[Instance]:
    """The rest of the instance's replica set, its source first."""
    source = instance.source or instance
    return [row for row in (source, *replicas(source)) if row.id != instance.id]


def peers(instance: Instance) -> list[str]:
    """Addresses of the rest of the replica set: each may become the source of the others."""
    addresses = (row.compute.get("address") for row in others(instance))
    return [address for address in addresses if address]


def require_no_replicas(instance: Instance) -> None:
    """Let only an instance pass that nobody follows.

    Raises:
        Forbidden: naming its replicas.
    """
    if followers := replicas(instance):
        named = ", ".join(f"{row.name} ({row.id})" for row in followers)
        raise Forbidden(
            f"instance {instance.id} is the source of {named}: detach or delete its replicas first"
        )


def require_source(instance: Instance) -> None:
    """Let only an instance pass that takes changes of its own.

    Raises:
        BadRequest: it is a replica.
    """
    if instance.source_id:
        raise BadRequest(
            f"instance {instance.id} is a replica and only reads: ask its source, instance "
            f"{instance.source_id}, or detach it"
        )


def require_alone(instance: Instance, what: str) -> None:
    """Let only an instance pass that is in no replica set; `what` is the field that asks for it.

    Raises:
        BadRequest: it follows or is followed.
    """
    if others(instance):
        raise BadRequest(
            f"{what}: instance {instance.id} has replicas or is one: detach them first"
        )
