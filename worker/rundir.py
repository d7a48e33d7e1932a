"""The private directory of a run: on tmpfs, 0700, gone when the run is over.

ansible-runner shows what it is handed as arguments (process list, artifacts); so inventory,
variables and secrets are written here by ourselves and only found by it.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
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


def write_inputs(
    path: Path,
    host: str,
    variables: dict[str, Any],
    secrets: dict[str, Any],
    known_host: str | None,
) -> None:
    """Write inventory, host keys and secrets where ansible-runner looks for them."""
    known_hosts = path / "known_hosts"
    _write(known_hosts, f"{known_host}\n" if known_host else "")
    ssh = f"-o UserKnownHostsFile={known_hosts} -o StrictHostKeyChecking=yes"
    hosts = {host: _Data({**variables, "ansible_ssh_common_args": ssh})}
    _write(path / "inventory" / "hosts.yml", _yaml({"all": {"hosts": hosts}}))
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
