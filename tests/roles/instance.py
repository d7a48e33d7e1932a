"""A guest that a test asks for, and the way into it."""

import shlex
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SSH_OPTIONS = "-o UserKnownHostsFile={known_hosts} -o StrictHostKeyChecking=yes -o ConnectTimeout=5"


@dataclass(frozen=True)
class Instance:
    """A guest that a test asks for, with keys of its own."""

    id: str
    folder: Path
    login_key: Path

    @classmethod
    def make(cls, scratch: Path, login_key: Path) -> "Instance":
        identity = str(uuid.uuid4())
        folder = scratch / "keys" / identity
        folder.mkdir(parents=True)
        make_key(folder / "host_key")
        public = (folder / "host_key.pub").read_text()
        (folder / "known_hosts").write_text(f"{identity} {public}")
        return cls(identity, folder, login_key)

    @property
    def ssh_options(self) -> str:
        options = SSH_OPTIONS.format(known_hosts=self.folder / "known_hosts")
        return f"{options} -o HostKeyAlias={self.id}"

    def variables(self) -> dict[str, Any]:
        return {
            "ansible_user": "root",
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_ssh_private_key_file": str(self.login_key),
            "ansible_ssh_common_args": self.ssh_options,
            "coffer_instance_id": self.id,
            "coffer_instance_name": "a'; touch /tmp/hostile #",
            "coffer_image": None,
            "coffer_volume_size": 1,
            "coffer_data_directory": "/var/lib/engine",
            "coffer_host_key": (self.folder / "host_key").read_text(),
            "coffer_host_key_public": (self.folder / "host_key.pub").read_text(),
            "coffer_ssh_public_key": self.login_key.with_suffix(".pub").read_text(),
        }

    def shell(self, address: str, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the guest."""
        return run([*self._ssh(address), command])

    def open_shell(self, address: str, command: str) -> "subprocess.Popen[str]":
        """The same, as a process with pipes."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [*self._ssh(address), command], stdin=pipe, stdout=pipe, text=True, bufsize=1
        )

    def _ssh(self, address: str) -> list[str]:
        options = shlex.split(self.ssh_options)
        return ["ssh", *options, "-i", str(self.login_key), f"root@{address}"]


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Its output is text; it does not have to succeed."""
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


def make_key(path: Path) -> None:
    """A key pair for SSH."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
