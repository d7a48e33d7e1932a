"""Who may reach a guest: its engine whom the record allows, its SSH server the control host.

The rules are in the guest's own network namespace. There they see every packet to the guest, also
one from another guest on the bridge, and they come and go with the namespace. Nobody in the guest
can change them: it has no CAP_NET_ADMIN.
"""

from __future__ import annotations

import hashlib
import ipaddress
from pathlib import Path
from typing import Any

from .command import attempt, run
from .steps import Step

TABLE = "coffer_access"
RULES = """
add table inet {table}
delete table inet {table}
table inet {table} {{
  chain input {{
    type filter hook input priority filter; policy accept;
    iifname "lo" accept comment "{mark}"
    {engine}
    ct state established,related accept
    ip saddr {control} tcp dport 22 accept
    ip saddr {control} icmp type echo-request accept
    drop
  }}
}}
"""


def wanted(port: int | None, cidrs: list[str] | None) -> dict[str, Any] | None:
    """What a guest's record keeps; ValueError when an entry is no network."""
    if port is None or cidrs is None:
        return None
    return {"port": port, "cidrs": [str(ipaddress.ip_network(text, False)) for text in cidrs]}


def access_step(namespace: Path, access: dict[str, Any] | None, control: str) -> Step:
    """Open are the engine's port to the networks of `access`, and SSH to the address `control`."""
    rules = _rules(access, control)
    return Step(
        "access",
        lambda: _is_so(namespace, rules),
        lambda: _apply(namespace, rules),
    )


def _rules(access: dict[str, Any] | None, control: str) -> str:
    fixed = {"table": TABLE, "control": control, "engine": _engine(access)}
    mark = hashlib.sha256(RULES.format(mark="", **fixed).encode()).hexdigest()[:16]
    return RULES.format(mark=f"coffer:{mark}", **fixed)


def _engine(access: dict[str, Any] | None) -> str:
    """Before the rule for connections that are there: who may no longer connect is cut off.

    Guests have IPv4 alone, so networks of IPv6 are kept and say nothing.
    """
    if access is None:
        return ""
    networks = [ipaddress.ip_network(text) for text in access["cidrs"]]
    mine = list(ipaddress.collapse_addresses(n for n in networks if n.version == 4))
    port, joined = f"tcp dport {access['port']}", ", ".join(map(str, mine))
    return f"{port} ip saddr {{ {joined} }} accept\n    {port} drop" if mine else f"{port} drop"


def _is_so(namespace: Path, rules: str) -> bool:
    """The mark inside the table names the text of its rules."""
    mark = rules.partition('comment "')[2].partition('"')[0]
    return mark in (attempt(*_inside(namespace), "list", "table", "inet", TABLE) or "")


def _apply(namespace: Path, rules: str) -> None:
    run(*_inside(namespace), "-f", "-", stdin=rules)
    if not _is_so(namespace, rules):
        raise ValueError("the kernel does not show the rules that it was given")


def _inside(namespace: Path) -> tuple[str, ...]:
    return ("nsenter", f"--net={namespace}", "nft")
