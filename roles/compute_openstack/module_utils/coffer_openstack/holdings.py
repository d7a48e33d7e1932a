"""What the project holds of this installation, by instance: also what lost its server."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from .network import all_floating_ips
from .site import Site

_ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def holdings(site: Site) -> dict[str, list[str]]:
    """Kinds of things by the id of the instance that they were made for."""
    found: dict[str, set[str]] = defaultdict(set)
    for kind, instance in _each(site):
        found[instance].add(kind)
    return {instance: sorted(kinds) for instance, kinds in sorted(found.items())}


def _each(site: Site) -> Iterator[tuple[str, str]]:
    network, block = site.cloud.network, site.cloud.block_storage
    mine = {"project_id": site.project_id}
    yield from _by_metadata(site, "server", site.cloud.compute.servers())
    yield from _by_metadata(site, "volume", block.volumes())
    yield from _by_metadata(site, "snapshot", block.snapshots())
    yield from _by_name(site, "port", [port.name for port in network.ports(**mine)])
    yield from _by_name(site, "group", [group.name for group in network.security_groups(**mine)])
    yield from _by_name(site, "floating IP", [ip.description for ip in all_floating_ips(site)])
    images = site.cloud.image.images(owner=site.project_id, visibility="private")
    for image in images:
        told = image.properties
        if told.get("coffer_installation") == site.settings.prefix and told.get("coffer_instance"):
            yield "image", str(told["coffer_instance"])


def _by_metadata(site: Site, kind: str, found: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for each in found:
        told = each.metadata or {}
        if told.get("coffer_installation") == site.settings.prefix and told.get("coffer_instance"):
            yield kind, told["coffer_instance"]


def _by_name(site: Site, kind: str, names: Iterable[str | None]) -> Iterator[tuple[str, str]]:
    """What a run that died made and had not tagged yet has its name from the first moment."""
    ours = re.compile(f"{re.escape(site.settings.prefix)}-({_ID})")
    for name in names:
        if match := ours.fullmatch(name or ""):
            yield kind, match[1]
