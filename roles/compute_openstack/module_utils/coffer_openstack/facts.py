"""What is to know of an instance; the same for whoever asks."""

from __future__ import annotations

from typing import Any

from .network import address
from .server import IMAGE, servers
from .site import Site
from .volume import volumes

_STATES = {"ACTIVE": "running", "SHUTOFF": "stopped"}


def facts_of(site: Site, instance: str) -> dict[str, Any]:
    """`exists` alone where there is no server. state: running, stopped, or Nova's status."""
    found = servers(site, instance)
    if not found:
        return {"exists": False}
    server, volume = found[0], next(iter(volumes(site, instance)), None)
    return {
        "exists": True,
        "server_id": server.id,
        "volume_id": volume.id if volume else None,
        "address": address(site, instance),
        "image": server.metadata.get(IMAGE),
        "state": _STATES.get(server.status, server.status.lower()),
        "flavor": server.flavor.name,
        "volume": {"size": volume.size} if volume else {},
    }
