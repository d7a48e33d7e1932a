"""Bridge, firewall, and a network namespace for each guest."""

from __future__ import annotations

import hashlib
import ipaddress
import json
from pathlib import Path

from .access import access_step
from .command import attempt, run
from .mounts import source_of
from .settings import Settings
from .steps import Step
from .store import Record

FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
NAMESPACES = Path("/run/netns")
RULES = """
add table inet {prefix}
delete table inet {prefix}
table inet {prefix} {{
  chain input {{
    type filter hook input priority filter; policy accept;
    iifname != "{bridge}" accept comment "{mark}"
    ct state established,related accept
    {open}
    drop
  }}
  chain forward {{
    type filter hook forward priority filter; policy accept;
    iifname "{bridge}" tcp flags syn tcp option maxseg size set rt mtu
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr {subnet} ip daddr != {subnet} masquerade
  }}
}}
"""


def host_steps(settings: Settings) -> list[Step]:
    """What all guests share. Hold the host's lock."""
    return [
        Step("bridge", lambda: _bridge_is_up(settings), lambda: _make_bridge(settings)),
        Step(
            "forwarding",
            lambda: FORWARDING.read_text().strip() == "1",
            lambda: FORWARDING.write_text("1"),
        ),
        Step(
            "firewall",
            lambda: _mark(settings) in (attempt(*_list_table(settings)) or ""),
            lambda: run("nft", "-f", "-", stdin=_rules(settings)),
        ),
    ]


def host_removal(settings: Settings) -> list[Step]:
    """Forwarding stays on: others on this host may rely on it by now."""
    return [
        Step(
            "firewall",
            lambda: attempt(*_list_table(settings)) is None,
            lambda: run("nft", "delete", "table", "inet", settings.prefix),
        ),
        Step(
            "bridge",
            lambda: not _has_link(settings.bridge),
            lambda: run("ip", "link", "del", settings.bridge),
        ),
    ]


def guest_steps(settings: Settings, record: Record) -> list[Step]:
    """Namespace, veth pair, address, default route and firewall of one guest."""
    name, link = settings.name(record.instance), _link(settings, record)
    return [
        Step("namespace", lambda: _is_namespace(name), lambda: _make_namespace(name)),
        Step("link", lambda: _is_linked(name, link), lambda: _make_link(settings, record)),
        Step(
            "address",
            lambda: _is_configured(name, record.address),
            lambda: _configure(settings, record),
        ),
        access_step(_namespace(name), record.access, settings.gateway),
    ]


def guest_removal(settings: Settings, instance: str, record: Record | None) -> list[Step]:
    """The link by itself: with the namespace the kernel removes it too, but later."""
    name = settings.name(instance)
    gone = Step("namespace", lambda: not _namespace(name).exists(), lambda: _drop_namespace(name))
    if record is None:
        return [gone]
    link = _link(settings, record)
    return [
        Step("link", lambda: not _has_link(link), lambda: run("ip", "link", "del", link)),
        gone,
    ]


def _list_table(settings: Settings) -> tuple[str, ...]:
    return ("nft", "list", "table", "inet", settings.prefix)


def _rules(settings: Settings, mark: str | None = None) -> str:
    ports = ", ".join(str(port) for port in settings.host_ports)
    allow = f"ip daddr {settings.gateway} tcp dport {{ {ports} }} accept" if ports else ""
    return RULES.format(
        prefix=settings.prefix,
        bridge=settings.bridge,
        subnet=settings.subnet,
        open=allow,
        mark=_mark(settings) if mark is None else mark,
    )


def _mark(settings: Settings) -> str:
    """Names the rules' text inside the table, so that a change of settings is seen."""
    return "coffer:" + hashlib.sha256(_rules(settings, mark="").encode()).hexdigest()[:16]


def _has_link(name: str) -> bool:
    return Path("/sys/class/net", name).exists()


def _bridge_is_up(settings: Settings) -> bool:
    wanted = (settings.gateway, settings.network.prefixlen)
    return _has_link(settings.bridge) and wanted in _addresses(dev=settings.bridge)


def _addresses(*options: str, dev: str) -> set[tuple[str, int]]:
    """IPv4 addresses of an interface that is up."""
    listed = json.loads(attempt("ip", *options, "-j", "-4", "addr", "show", "dev", dev) or "[]")
    return {
        (address["local"], address["prefixlen"])
        for link in listed
        if "UP" in link.get("flags", [])
        for address in link.get("addr_info", [])
    }


def _make_bridge(settings: Settings) -> None:
    bridge = settings.bridge
    if not _has_link(bridge):
        run("ip", "link", "add", bridge, "type", "bridge")
    without_ipv6 = Path("/proc/sys/net/ipv6/conf", bridge, "disable_ipv6")
    if without_ipv6.exists():
        without_ipv6.write_text("1")
    address = f"{settings.gateway}/{settings.network.prefixlen}"
    run("ip", "addr", "replace", address, "dev", bridge)
    run("ip", "link", "set", bridge, "up")


def _link(settings: Settings, record: Record) -> str:
    """The host's end of the pair, named by the address: short enough for an interface."""
    number = int(ipaddress.IPv4Address(record.address)) - int(settings.network[0])
    return f"{settings.prefix}{number}"


def _mac(address: str) -> str:
    """From the address: a new guest at an old address must not meet stale neighbour entries."""
    return "02:00:" + ":".join(f"{int(part):02x}" for part in address.split("."))


def _namespace(name: str) -> Path:
    return NAMESPACES / name


def _is_namespace(name: str) -> bool:
    return source_of(_namespace(name)) is not None


def _make_namespace(name: str) -> None:
    """A killed `ip netns add` leaves a plain file, which the next one would refuse."""
    _namespace(name).unlink(missing_ok=True)
    run("ip", "netns", "add", name)


def _drop_namespace(name: str) -> None:
    if _is_namespace(name):
        run("ip", "netns", "del", name)
    else:
        _namespace(name).unlink(missing_ok=True)


def _is_linked(name: str, link: str) -> bool:
    """Both ends: that of a namespace that is gone stays on the host for a moment."""
    return _has_link(link) and attempt("ip", "-n", name, "link", "show", "dev", "eth0") is not None


def _make_link(settings: Settings, record: Record) -> None:
    name, link = settings.name(record.instance), _link(settings, record)
    attempt("ip", "link", "del", link)  # what is left of one; the kernel may be quicker
    peer = ("name", "eth0", "address", _mac(record.address), "netns", name)
    run("ip", "link", "add", link, "type", "veth", "peer", *peer)


def _is_configured(name: str, address: str) -> bool:
    if not _is_namespace(name):
        return False
    route = attempt("ip", "-n", name, "route", "show", "default")
    return bool(route) and address in {a for a, _ in _addresses("-n", name, dev="eth0")}


def _configure(settings: Settings, record: Record) -> None:
    """The default route comes last: `_is_configured` takes it for the whole."""
    name, link = settings.name(record.instance), _link(settings, record)
    run("ip", "link", "set", link, "master", settings.bridge, "up")
    batch = f"""
        link set lo up
        addr replace {record.address}/{settings.network.prefixlen} dev eth0
        link set eth0 up
        route replace default via {settings.gateway}
    """
    run("ip", "-n", name, "-batch", "-", stdin="\n".join(map(str.strip, batch.splitlines())))
