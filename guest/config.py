"""What the agent is told: /etc/coffer/agent.json, written by the role guest_agent."""

from __future__ import annotations

import json

from guest.files import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DEFAULT_PATH = "/etc/coffer/agent.json"
INTERVAL = 10.0
TIMEOUT = 5.0
PENDING_PACKAGES = "/var/lib/coffer/pending_packages"
LOGS = "/var/lib/coffer/logs.json"


class ConfigError(Exception):
    """The configuration cannot be used; the message says which field and why."""


class Config:
    """The agent's settings; times in seconds.

    Raises:
        ConfigError: a field is missing or of the wrong kind.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.conductor_url = _url(document, "conductor_url")
        """Where the conductor listens, `https://host:port`, without a path."""
        self.ca_file = _text(document, "ca_file")
        """Certificates that the conductor's must be signed by."""
        self.token_file = _text(document, "token_file")
        """Holds the token of this instance; read again for every report."""
        self.instance_id = _text(document, "instance_id")
        self.probe = _words(document, "probe")
        """Command that prints the engine's condition as one JSON object."""
        self.pidfile = _text(document, "pidfile")
        """The engine's process number; its change makes the agent probe at once."""
        self.data_directory = _text(document, "data_directory")
        """Any path on the data volume."""
        self.interval = _seconds(document, "interval", INTERVAL)
        """From one probe to the next while the engine is healthy."""
        self.probe_timeout = _seconds(document, "probe_timeout", TIMEOUT)
        self.send_timeout = _seconds(document, "send_timeout", TIMEOUT)
        self.pending_packages_file = _text(
            {"pending_packages_file": PENDING_PACKAGES, **document}, "pending_packages_file"
        )
        """Holds the number of packages that wait for a patch; may be absent."""
        self.logs_file = _text({"logs_file": LOGS, **document}, "logs_file")
        """Tells which logs of the engine have left the guest; may be absent."""


def load(path: str) -> Config:
    """Read the configuration; fields that this version does not know are ignored.

    Raises:
        ConfigError: the file is unreadable, or a field is missing or of the wrong kind.
    """
    text = read(path)
    if text is None:
        raise ConfigError(f"{path}: cannot be read")
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None
    if not isinstance(document, dict):
        raise ConfigError(f"{path}: is not a JSON object")
    return Config(document)


def _text(document: dict[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{name}: {value!r} is not a text")
    return value


def _url(document: dict[str, Any], name: str) -> str:
    value = _text(document, name).rstrip("/")
    # The token must never cross the network in the clear.
    if not value.startswith("https://"):
        raise ConfigError(f"{name}: must begin with https://")
    return value


def _words(document: dict[str, Any], name: str) -> list[str]:
    value = document.get(name)
    if not isinstance(value, list) or not value:
        raise ConfigError(f"{name}: {value!r} is not a list of words")
    return [_text({name: word}, name) for word in value]


def _seconds(document: dict[str, Any], name: str, default: float) -> float:
    value = document.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ConfigError(f"{name}: {value!r} is not a number of seconds")
    return float(value)
