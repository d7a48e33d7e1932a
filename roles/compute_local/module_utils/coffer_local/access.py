"""Who may reach a guest's engine: rules in the guest's own network namespace.

There they see every packet to the guest, also one from another guest on the bridge, and they come
and go with the namespace. What is open to all has no rules.
"""

from __future__ import annotations

import hashlib
import ipaddress
from pathlib import Path
from typing import Any

from .command import attempt, run
from .steps import Step

TABLE = "coffer_access"
EVERYBODY = ipaddress.IPv4Network("0.0.0.0/0")
RULES = """
add table inet {table}
delete table inet {table}
table inet {table} {{
  chain input {{
    type filter hook input priority filter; policy accept;
    iifname "lo" accept comment "{mark}"
    {allow}
    tcp dport {port} drop
  }}
}}
"""


def wanted(port: int | None, cidrs: list[str] | None) -> dict[str, Any] | None:
    """What a guest's record keeps; ValueError when an entry is no network."""
    if port is None or cidrs is None:
        return None
    return {"port": port, "cidrs": [str(ipaddress.ip_network(text, False)) for text in cidrs]}


def access_step(namespace: Path, access: dict[str, Any] | None) -> Step:
    """The engine's port is open to the networks of `access` and to nobody else."""
    rules = _rules(access)
    return Step(
        "access",
        lambda: _is_so(namespace, rules),
        lambda: _apply(namespace, rules),
    )


def _rules(access: dict[str, Any] | None) -> str | None:
    """None: everybody may. Guests have IPv4 alone, so networks of IPv6 are kept and say nothing."""
    if access is None:
        return None
    networks = [ipaddress.ip_network(text) for text in access["cidrs"]]
    mine = list(ipaddress.collapse_addresses(n for n in networks if n.version == 4))
    if EVERYBODY in mine:
        return None
    port, joined = access["port"], ", ".join(map(str, mine))
    allow = f"tcp dport {port} ip saddr {{ {joined} }} accept" if mine else ""
    mark = hashlib.sha256(f"{port} {joined}".encode()).hexdigest()[:16]
    return RULES.format(table=TABLE, mark=f"coffer:{mark}", allow=allow, port=port)


def _is_so(namespace: Path, rules: str | None) -> bool:
    """The mark inside the table names the text of its rules."""
    there = attempt(*_inside(namespace), "list", "table", "inet", TABLE)
    if rules is None:
        return there is None
    mark = rules.partition('comment "')[2].partition('"')[0]
    return mark in (there or "")


def _apply(namespace: Path, rules: str | None) -> None:
    if rules is None:
        run(*_inside(namespace), "delete", "table", "inet", TABLE)
    else:
        run(*_inside(namespace), "-f", "-", stdin=rules)
    if not _is_so(namespace, rules):
        raise ValueError("the kernel does not show the rules that it was given")


def _inside(namespace: Path) -> tuple[str, ...]:
    return ("nsenter", f"--net={namespace}", "nft")
