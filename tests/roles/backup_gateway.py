"""A gateway for backups as the control plane runs it, for guests of the engines' tests."""

import subprocess
import tempfile
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from coffer.repositories import line_of
from tests.roles.engine_site import Guest, Site
from tests.roles.provider import DATA, Outcome

GATEWAY_PASSWORD = "gateway-password-of-the-guest"
REPOSITORY_PASSWORD = "repository-password-of-the-guest"
STRANGER = str(uuid.UUID(int=7))
RESTORE = ["restore", "start", "secure", "verify", "check", "compare"]
LEFT = "ls -d /run/coffer-backup {0}/.backup {0}/.restore /var/tmp/coffer-backup 2>/dev/null"


@dataclass
class Gateway:
    """rclone as the control plane runs it, and the backups of one guest through it."""

    site: Site
    guest: Guest
    process: "subprocess.Popen[bytes] | None" = None
    commands: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        name = self.guest.engine.data["engine"]
        self.commands = yaml.safe_load((DATA / f"backup_{name}.yml").read_text())
        self.place = Path(tempfile.mkdtemp(prefix=f"gateway-{name}-", dir=self.site.scratch))
        (self.place / "store").mkdir()
        users = [self.guest.instance.id, STRANGER]
        text = "".join(f"{user}:{line_of(GATEWAY_PASSWORD)}\n" for user in users)
        (self.place / "users").write_text(text)
        self.url = "https://{address}:{port}".format(**self.site.data["gateway"])
        self.start()

    def start(self) -> None:
        certificate, key = self.site.authority.issue(self.site.data["gateway"]["address"])
        options = {
            "--addr": self.url.removeprefix("https://"),
            "--cert": str(certificate),
            "--key": str(key),
            "--htpasswd": str(self.place / "users"),
            "--config": str(self.place / "rclone.conf"),
        }
        words = [word for pair in options.items() for word in pair]
        flags = ["--append-only", "--private-repos", "--cache-objects=false"]
        command = ["rclone", "serve", "restic", *flags, *words, str(self.place / "store")]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def variables(self, **backup: Any) -> dict[str, Any]:
        """What a worker gives a playbook about a backup."""
        return {
            "coffer_backup": backup,
            "coffer_repository": self.guest.instance.id,
            "coffer_gateway_url": self.url,
            "coffer_gateway_password": GATEWAY_PASSWORD,
            "coffer_repository_password": REPOSITORY_PASSWORD,
            "coffer_backup_storage": str(self.place / "store"),
            "coffer_rclone_config": str(self.place / "rclone.conf"),
            "backup_cache": str(self.place / "cache"),
        }

    def back_up(self, method: str = "physical") -> Outcome:
        return self.guest.run("backup", **self.variables(id=uuid.uuid4().hex, method=method))

    def restore(self, made: dict[str, Any], method: str) -> Outcome:
        backup = {"id": "x", "method": method, "snapshot": made["snapshot"], **made["details"]}
        return self.guest.run(*RESTORE, **self.variables(**backup))

    def shell(self, name: str) -> str:
        """What a command of the data file prints."""
        return self.guest.shell(self.commands[name])

    def restic(self, *arguments: str, path: str, user: str) -> "subprocess.CompletedProcess[str]":
        """restic as somebody who has a guest's password at the gateway."""
        login = self.url.replace("https://", f"https://{user}:{GATEWAY_PASSWORD}@")
        known = ["--cacert", str(self.site.authority.certificate_path), "--no-cache"]
        told = {"RESTIC_PASSWORD": REPOSITORY_PASSWORD, "PATH": "/usr/bin:/bin", "HOME": "/tmp"}
        command = ["timeout", "8", "restic", "-r", f"rest:{login}/{path}/", *known, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=told)

    def left(self) -> str:
        """Traces of a backup in the guest."""
        volume = self.guest.engine.catalogue["data_directory"]
        return self.guest.shell(LEFT.format(volume))
