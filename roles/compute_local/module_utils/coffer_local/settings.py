"""The provider's settings, as role defaults hand them to every module."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SETTINGS: dict[str, Any] = {
    "prefix": {"type": "str", "required": True},
    "state_dir": {"type": "path", "required": True},
    "image_dir": {"type": "path", "required": True},
    "bridge": {"type": "str", "required": True},
    "subnet": {"type": "str", "required": True},
    "host_ports": {"type": "list", "elements": "int", "required": True},
    "nameservers": {"type": "list", "elements": "str", "required": True},
    "pool_size": {"type": "int", "required": True},
    "runtime": {"type": "str", "required": True},
    "cgroup_manager": {"type": "str", "required": True},
    "pids_limit": {"type": "int", "required": True},
    "stop_timeout": {"type": "int", "required": True},
}
INSTANCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
PREFIX = re.compile(r"[a-z][a-z0-9]{0,8}")
INTERFACE = re.compile(r"[a-z][a-z0-9_-]{0,14}")


@dataclass(frozen=True)
class Settings:
    """One installation on this host; two with other values live side by side."""

    prefix: str
    state_dir: Path
    image_dir: Path
    bridge: str
    subnet: str
    host_ports: list[int] = field(default_factory=list)
    nameservers: list[str] = field(default_factory=list)
    pool_size: int = 0
    runtime: str = "auto"
    cgroup_manager: str = "auto"
    pids_limit: int = 2000
    stop_timeout: int = 60

    @classmethod
    def of(cls, values: dict[str, Any]) -> Settings:
        """Check the values that become names of files and interfaces; ValueError if wrong."""
        paths = {key: Path(values[key]) for key in ("state_dir", "image_dir")}
        settings = cls(**{**values, **paths})
        if not PREFIX.fullmatch(settings.prefix):
            raise ValueError("prefix: a letter, then at most 8 letters or digits")
        if not INTERFACE.fullmatch(settings.bridge):
            raise ValueError("bridge: an interface name has at most 15 characters")
        if settings.network.prefixlen > 29:
            raise ValueError("subnet: has no room for guests")
        return settings

    @property
    def network(self) -> ipaddress.IPv4Network:
        return ipaddress.IPv4Network(self.subnet)

    @property
    def gateway(self) -> str:
        """The control host's address in the guests' network: the first one."""
        return str(self.network[1])

    @property
    def pool(self) -> Path:
        """Where the guests' disk files lie: a file system with reflinks."""
        return self.state_dir / "pool"

    @property
    def host_lock(self) -> Path:
        return self.state_dir / "host.lock"

    def name(self, instance: str) -> str:
        """Of the container and of the network namespace."""
        return f"{self.prefix}-{instance}"


def checked_instance(instance: str) -> str:
    """The id becomes a path: refuse one that could leave its directory (ValueError)."""
    if not INSTANCE.fullmatch(instance):
        raise ValueError("instance: letters, digits, '-' and '_', at most 64")
    return instance
