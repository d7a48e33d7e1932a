"""The private directory of a run: on tmpfs, 0700, gone when the run is over.

ansible-runner shows what it is handed as arguments (process list, artifacts); so inventory,
variables and secrets are written here by ourselves and only found by it.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml


class _Data(dict[str, Any]):
    """Variables in which Ansible must never take a text for a template.

    The mapping as a whole is marked. On a single text the mark takes the quotes away: a password
    `0x10` would arrive as the number 16, and `null` not at all.
    """


class _Dumper(yaml.SafeDumper):
    pass


def _represent_data(dumper: yaml.SafeDumper, data: _Data) -> yaml.Node:
    return dumper.represent_mapping("!unsafe", dict(data))


_Dumper.add_representer(_Data, _represent_data)


@contextmanager
def run_directory(root: Path, operation_id: str) -> Iterator[Path]:
    """A fresh directory for one attempt; what an attempt that died left there goes first."""
    path = root / "operations" / operation_id
    discard(path)
    path.mkdir(mode=0o700, parents=True)
    try:
        yield path
    finally:
        discard(path)


def discard(path: Path) -> None:
    """Delete a run directory, whatever is in it."""
    shutil.rmtree(path, ignore_errors=True)


@dataclass
class Inputs:
    """What a run works on; the first host is the operation's own."""

    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Variables by the host's name."""
    groups: dict[str, list[str]] = field(default_factory=dict)
    """Names of hosts by their group's, which holds an underscore."""
    known_hosts: list[str] = field(default_factory=list)


def write_inputs(path: Path, inputs: Inputs, secrets: dict[str, Any]) -> None:
    """Write inventory, host keys and secrets where ansible-runner looks for them."""
    known_hosts = path / "known_hosts"
    _write(known_hosts, "".join(f"{line}\n" for line in inputs.known_hosts))
    ssh = f"-o UserKnownHostsFile={known_hosts} -o StrictHostKeyChecking=yes"
    hosts = {
        name: _Data({**variables, "ansible_ssh_common_args": ssh})
        for name, variables in inputs.hosts.items()
    }
    groups = {group: {"hosts": dict.fromkeys(names)} for group, names in inputs.groups.items()}
    _write(path / "inventory" / "hosts.yml", _yaml({"all": {"hosts": hosts, "children": groups}}))
    _write(path / "env" / "extravars", _yaml(_Data(secrets)))
    # The pause between looks for an abort or a passed deadline, in seconds.
    _write(path / "env" / "settings", _yaml({"pexpect_timeout": 1}))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)


def _yaml(value: Any) -> str:
    # Everything but ASCII escaped: what Unicode calls a line break, YAML would fold into a blank.
    return yaml.dump(value, Dumper=_Dumper)
