"""What a new instance needs, looked at before anything is made; all that is missing is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .errors import CLOUD_ERRORS, CloudRefused, said
from .image import image_of
from .network import groups, network_of, ports
from .resize import flavor_of
from .server import Wish, servers
from .site import Site
from .volume import volumes


@dataclass(frozen=True)
class Wanted:
    """What is asked for: flavor as Coffer has it, size of the volume in GiB."""

    instance: str
    image: str
    image_tags: list[str]
    flavor: dict[str, Any]
    volume: int
    login: str


def preflight(site: Site, wanted: Wanted) -> Wish:
    """What to make the server of. CloudRefused names everything that is missing."""
    problems: list[str] = []

    def look(ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except CLOUD_ERRORS as error:
            problems.append(said(error))
            return None

    flavor = look(lambda: flavor_of(site, wanted.flavor))
    image = look(lambda: image_of(site, wanted.image, wanted.image_tags))
    look(lambda: network_of(site, site.settings.network))
    if site.settings.external_network:
        look(lambda: network_of(site, site.settings.external_network))
    look(lambda: _volume_type(site))
    look(lambda: _zones(site))
    if flavor is not None:
        if image is not None:
            look(lambda: _fits(flavor, image))
        problems += _over_quota(site, wanted, flavor)
    if problems:
        raise CloudRefused(f"the cloud cannot take this instance: {'; '.join(problems)}")
    return Wish(image.id, flavor.id, wanted.login)


def _volume_type(site: Site) -> None:
    name = site.settings.volume_type
    if name and not any(name in (t.name, t.id) for t in site.cloud.block_storage.types()):
        raise CloudRefused(f"volume type '{name}' does not exist")


def _zones(site: Site) -> None:
    zone, of_volumes = site.settings.availability_zone, site.settings.volume_availability_zone
    if zone and not _available(site.cloud.compute.availability_zones(), zone):
        raise CloudRefused(f"availability zone '{zone}' of Nova does not exist")
    if of_volumes and not _available(site.cloud.block_storage.availability_zones(), of_volumes):
        raise CloudRefused(f"availability zone '{of_volumes}' of Cinder does not exist")


def _available(zones: Any, name: str) -> bool:
    return any(zone.name == name and zone.state.get("available", True) for zone in zones)


def _fits(flavor: Any, image: Any) -> None:
    if flavor.ram < (image.min_ram or 0):
        raise CloudRefused(f"flavor '{flavor.name}' has too little memory for '{image.name}'")
    if flavor.disk and flavor.disk < (image.min_disk or 0):
        raise CloudRefused(f"flavor '{flavor.name}' has too small a disk for '{image.name}'")


def _over_quota(site: Site, wanted: Wanted, flavor: Any) -> list[str]:
    """Only what is not there yet counts."""
    instance = wanted.instance
    needs = {
        "compute": (
            {}
            if servers(site, instance)
            else {"instances": 1, "cores": flavor.vcpus, "ram": flavor.ram}
        ),
        "volume": {} if volumes(site, instance) else {"volumes": 1, "gigabytes": wanted.volume},
        "network": {
            **({} if ports(site, instance) else {"port": 1}),
            **({} if groups(site, instance) else {"security_group": 1}),
        },
    }
    return [
        f"the project's quota of {name} is {limit}, {used} are in use and {need} more are needed"
        for service, wishes in needs.items()
        for told in [_quotas(site, service) if wishes else {}]
        for name, need in wishes.items()
        for limit, used in [_usage(told, name)]
        if 0 <= limit < used + need
    ]


def _quotas(site: Site, service: str) -> dict[str, Any]:
    """Limit and use by resource; nothing of a service that does not tell."""
    project = site.project_id
    ask = {
        "compute": (site.cloud.compute, f"/os-quota-sets/{project}/detail", "quota_set"),
        "volume": (site.cloud.block_storage, f"/os-quota-sets/{project}?usage=true", "quota_set"),
        "network": (site.cloud.network, f"/quotas/{project}/details.json", "quota"),
    }
    client, path, key = ask[service]
    answer = client.get(path)
    return dict(answer.json().get(key, {})) if answer.ok else {}


def _usage(quotas: dict[str, Any], name: str) -> tuple[int, int]:
    """Limit (-1: none, or none that is told) and what is used."""
    told = quotas.get(name)
    if told is None:
        return -1, 0
    return int(told["limit"]), int(told.get("in_use", told.get("used", 0))) + int(told["reserved"])
