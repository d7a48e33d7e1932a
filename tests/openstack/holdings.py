"""What a project holds of an installation: `python -m tests.openstack.holdings PREFIX KIND`."""

import sys
from collections.abc import Callable, Iterable
from typing import Any

from openstack.exceptions import NotFoundException

from tests.openstack.cloud import cloud_under_test


def _floating_ips(cloud: Any) -> list[Any]:
    """None in a cloud without routers."""
    try:
        return list(cloud.network.ips(project_id=cloud.current_project_id))
    except NotFoundException:
        return []


def _containers(cloud: Any) -> list[Any]:
    """None in a cloud without Swift."""
    if not cloud.has_service("object-store"):
        return []
    return list(cloud.object_store.containers())


KINDS: dict[str, Callable[[Any], Iterable[Any]]] = {
    "servers": lambda cloud: cloud.compute.servers(),
    "key_pairs": lambda cloud: cloud.compute.keypairs(),
    "ports": lambda cloud: cloud.network.ports(project_id=cloud.current_project_id),
    "groups": lambda cloud: cloud.network.security_groups(project_id=cloud.current_project_id),
    "addresses": _floating_ips,
    "volumes": lambda cloud: cloud.block_storage.volumes(),
    "snapshots": lambda cloud: cloud.block_storage.snapshots(),
    "containers": _containers,
    "images": lambda cloud: cloud.image.images(owner=cloud.current_project_id),
}


def holdings(cloud: Any, prefix: str, kind: str) -> list[str]:
    """Names, or for what has none its description, that begin with the prefix."""
    named = [each.name or getattr(each, "description", "") or "" for each in KINDS[kind](cloud)]
    return sorted(name for name in named if name.startswith(f"{prefix}-"))


if __name__ == "__main__":
    for line in holdings(cloud_under_test().connect(), *sys.argv[1:]):
        print(line)
