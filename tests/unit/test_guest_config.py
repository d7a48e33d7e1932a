"""The agent's configuration file."""

import json
from pathlib import Path
from typing import Any

import pytest

from guest.config import Config, ConfigError, load

GOOD: dict[str, Any] = {
    "conductor_url": "https://10.0.0.1:8780/",
    "ca_file": "/etc/coffer/ca.pem",
    "token_file": "/etc/coffer/token",
    "instance_id": "one",
    "probe": ["/usr/local/lib/coffer/probe"],
    "pidfile": "/run/mysqld/mysqld.pid",
    "data_directory": "/var/lib/mysql",
}


def test_what_is_not_given_has_a_value(tmp_path: Path) -> None:
    path = tmp_path / "agent.json"
    path.write_text(json.dumps({**GOOD, "of a later version": True}))
    config = load(str(path))
    assert config.conductor_url == "https://10.0.0.1:8780"
    assert (config.interval, config.probe_timeout, config.send_timeout) == (10, 5, 5)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("conductor_url", "http://10.0.0.1"),
        ("conductor_url", None),
        ("instance_id", ""),
        ("probe", "/usr/local/lib/coffer/probe"),
        ("probe", []),
        ("probe", ["x", 1]),
        ("interval", 0),
        ("interval", True),
        ("interval", "10"),
        ("pending_packages_file", 3),
    ],
)
def test_what_does_not_fit_is_named(field: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=field):
        Config({**GOOD, field: value})


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_what_is_no_object_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "agent.json"
    path.write_text(text)
    with pytest.raises(ConfigError):
        load(str(path))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(str(tmp_path / "agent.json"))
