"""Who may connect: the ingress rules of an instance's security group, exactly."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import Any

from .network import address, groups
from .site import Site
from .steps import Step

SSH = 22


@dataclass(frozen=True)
class Rule:
    """A network that may open a TCP port."""

    port: int
    cidr: str

    @property
    def attributes(self) -> dict[str, Any]:
        """As Neutron writes it."""
        version = ipaddress.ip_network(self.cidr).version
        return {
            "direction": "ingress",
            "ether_type": f"IPv{version}",
            "protocol": "tcp",
            "port_range_min": self.port,
            "port_range_max": self.port,
            "remote_ip_prefix": self.cidr,
        }


def access_steps(
    site: Site, instance: str, port: int | None, cidrs: list[str] | None
) -> list[Step]:
    """SSH from the control hosts; the engine's port, when it is given, from `cidrs`.

    Without `port` or `cidrs` the rules of other ports stay as they are.
    """
    return [
        Step(
            "access",
            lambda: not any(_differences(site, instance, port, cidrs)),
            lambda: _adjust(site, instance, port, cidrs),
        )
    ]


def _adjust(site: Site, instance: str, port: int | None, cidrs: list[str] | None) -> None:
    """Open before closing: nobody who stays allowed is locked out in between."""
    missing, surplus = _differences(site, instance, port, cidrs)
    group = groups(site, instance)[0].id
    for rule in missing:
        site.cloud.network.create_security_group_rule(security_group_id=group, **rule.attributes)
    for there in surplus:
        site.cloud.network.delete_security_group_rule(there)


def _differences(
    site: Site, instance: str, port: int | None, cidrs: list[str] | None
) -> tuple[list[Rule], list[Any]]:
    wanted = _wanted(site, instance, port, cidrs)
    there = {
        each.id: _rule_of(each)
        for group in groups(site, instance)
        for each in site.cloud.network.security_group_rules(security_group_id=group.id)
        if each.direction == "ingress"
    }
    kept = {rule for rule in there.values() if rule and rule.port != SSH}
    if port is None or cidrs is None:
        wanted |= kept
    missing = sorted(wanted - set(there.values()), key=str)
    return missing, [key for key, rule in there.items() if rule not in wanted]


def _wanted(site: Site, instance: str, port: int | None, cidrs: list[str] | None) -> set[Rule]:
    control = site.settings.control_cidrs or _own_cidrs(address(site, instance))
    rules = {Rule(SSH, _normal(cidr)) for cidr in control}
    if port is not None and cidrs is not None:
        rules |= {Rule(port, _normal(cidr)) for cidr in cidrs}
    return rules


def _own_cidrs(peer: str | None) -> list[str]:
    """This host's address on the way to the instance."""
    if peer is None:
        return []
    family = socket.AF_INET6 if ":" in peer else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((peer, SSH))  # sends nothing
        return [str(probe.getsockname()[0])]


def _normal(cidr: str) -> str:
    return str(ipaddress.ip_network(cidr, strict=False))


def _rule_of(each: Any) -> Rule | None:
    """None for one that we would not make."""
    if each.protocol != "tcp" or each.port_range_min != each.port_range_max:
        return None
    if not each.port_range_min or not each.remote_ip_prefix:
        return None
    return Rule(each.port_range_min, _normal(each.remote_ip_prefix))
