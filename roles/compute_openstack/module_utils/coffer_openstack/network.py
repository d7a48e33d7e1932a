"""The port of an instance, its security group and its floating IP."""

from __future__ import annotations

from typing import Any

from openstack.exceptions import NotFoundException

from .errors import CloudRefused
from .site import Site
from .steps import Step


def ports(site: Site, instance: str) -> list[Any]:
    return list(site.cloud.network.ports(**_ours(site, instance)))


def groups(site: Site, instance: str) -> list[Any]:
    return list(site.cloud.network.security_groups(**_ours(site, instance)))


def floating_ips(site: Site, instance: str) -> list[Any]:
    """They have no name; a description says whose they are."""
    name = site.settings.name(instance)
    return [ip for ip in all_floating_ips(site) if ip.description == name]


def all_floating_ips(site: Site) -> list[Any]:
    """Of the project; none in a cloud without routers."""
    try:
        return list(site.cloud.network.ips(project_id=site.project_id))
    except NotFoundException:
        return []


def _ours(site: Site, instance: str) -> dict[str, str]:
    return {"name": site.settings.name(instance), "project_id": site.project_id}


def address(site: Site, instance: str) -> str | None:
    """Where clients and the control host reach the instance."""
    for ip in floating_ips(site, instance) if site.settings.external_network else []:
        return str(ip.floating_ip_address)
    for port in ports(site, instance):
        for fixed in port.fixed_ips:
            return str(fixed["ip_address"])
    return None


def network_steps(site: Site, instance: str) -> list[Step]:
    """Group, port and, where the site has an external network, a floating IP."""
    steps = [
        Step(
            "security group",
            lambda: bool(groups(site, instance)),
            lambda: _make_group(site, instance),
        ),
        Step("port", lambda: bool(ports(site, instance)), lambda: _make_port(site, instance)),
    ]
    if site.settings.external_network:
        steps.append(
            Step(
                "floating IP",
                lambda: any(ip.port_id for ip in floating_ips(site, instance)),
                lambda: _make_floating_ip(site, instance),
            )
        )
    return steps


def _make_group(site: Site, instance: str) -> None:
    group = site.cloud.network.create_security_group(
        name=site.settings.name(instance), description=f"Instance {instance} of Coffer"
    )
    site.cloud.network.set_tags(group, site.settings.tags(instance))


def _make_port(site: Site, instance: str) -> None:
    port = site.cloud.network.create_port(
        name=site.settings.name(instance),
        network_id=network_of(site, site.settings.network).id,
        security_group_ids=[groups(site, instance)[0].id],
    )
    site.cloud.network.set_tags(port, site.settings.tags(instance))


def _make_floating_ip(site: Site, instance: str) -> None:
    port = ports(site, instance)[0]
    there = floating_ips(site, instance)
    if there:
        site.cloud.network.update_ip(there[0], port_id=port.id)
        return
    made = site.cloud.network.create_ip(
        floating_network_id=network_of(site, site.settings.external_network).id,
        port_id=port.id,
        description=site.settings.name(instance),
    )
    site.cloud.network.set_tags(made, site.settings.tags(instance))


def network_of(site: Site, reference: str) -> Any:
    """By name or id; CloudRefused if the project sees none."""
    found = site.cloud.network.find_network(reference)
    if found is None:
        raise CloudRefused(f"network '{reference}' does not exist")
    return found


def network_absent(site: Site, instance: str) -> list[Step]:
    """In the order in which they hold each other."""
    network = site.cloud.network
    return [
        _absent("floating IP", lambda: floating_ips(site, instance), network.delete_ip),
        _absent("port", lambda: ports(site, instance), network.delete_port),
        _absent("security group", lambda: groups(site, instance), network.delete_security_group),
    ]


def _absent(name: str, find: Any, delete: Any) -> Step:
    return Step(name, lambda: not find(), lambda: [delete(each) for each in find()])
