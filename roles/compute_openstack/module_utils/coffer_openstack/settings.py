"""The provider's settings, as role defaults hand them to every module."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

SETTINGS: dict[str, Any] = {
    "cloud": {"type": "str", "required": True},
    "clouds_file": {"type": "path", "required": True},
    "project": {"type": "str", "required": True},
    "prefix": {"type": "str", "required": True},
    "network": {"type": "str", "required": True},
    "external_network": {"type": "str", "required": True},
    "availability_zone": {"type": "str", "required": True},
    "volume_availability_zone": {"type": "str", "required": True},
    "volume_type": {"type": "str", "required": True},
    "control_cidrs": {"type": "list", "elements": "str", "required": True},
    "grow_online": {"type": "bool", "required": True},
    "config_drive": {"type": "bool", "required": True},
    "user_data": {"choices": ["cloud-config", "script"], "required": True},
    "timeout": {"type": "int", "required": True},
    "outage": {"type": "int", "required": True},
}
INSTANCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
PREFIX = re.compile(r"[a-z][a-z0-9-]{0,30}")


@dataclass(frozen=True)
class Settings:
    """One installation in one cloud; two with other prefixes live side by side."""

    cloud: str
    clouds_file: str
    project: str
    prefix: str
    network: str
    external_network: str
    availability_zone: str
    volume_availability_zone: str
    volume_type: str
    control_cidrs: list[str]
    grow_online: bool
    """Whether the volumes' driver can extend one that is attached."""
    config_drive: bool
    user_data: str
    timeout: int
    """Seconds until the cloud must have done one thing."""
    outage: int
    """Seconds for which a service of the cloud may be away."""

    @classmethod
    def of(cls, values: dict[str, Any]) -> Settings:
        """Check what becomes part of names and tags; ValueError if wrong."""
        settings = cls(**values)
        if not PREFIX.fullmatch(settings.prefix):
            raise ValueError("prefix: a letter, then at most 30 small letters, digits or '-'")
        return settings

    def name(self, instance: str) -> str:
        """Of everything that belongs to an instance."""
        return f"{self.prefix}-{instance}"

    def tags(self, instance: str) -> list[str]:
        """What says that something is ours, where a service has tags."""
        return ["coffer", f"coffer-installation={self.prefix}", f"coffer-instance={instance}"]

    def metadata(self, instance: str) -> dict[str, str]:
        """The same, where a service has names and values."""
        return {"coffer_installation": self.prefix, "coffer_instance": instance}


def checked_instance(instance: str) -> str:
    """The id becomes part of names that are searched for; ValueError if it is none."""
    if not INSTANCE.fullmatch(instance):
        raise ValueError("instance: letters, digits, '-' and '_', at most 40")
    return instance
