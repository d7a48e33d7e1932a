"""The repositories of backups: keys, and the users of the gateway that guests leave them at."""

import base64
import fcntl
import hashlib
import os
from pathlib import Path
from typing import Any

from coffer.models import Instance, Repository
from coffer.secrets import Vault, new_token
from coffer.settings import Settings


class Repositories:
    """Finds or makes the repository of an instance, and tells its keys to who works with it."""

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self._settings = settings
        self._vault = vault

    def of(self, instance: Instance) -> Repository:
        """The instance's repository, made on first use; runs inside the caller's transaction."""
        found: Repository | None = Repository.get_or_none(Repository.id == instance.id)
        if found is not None:
            return found
        keys = {"repository": new_token(), "gateway": new_token()}
        made: Repository = Repository.create(
            id=instance.id,
            project_id=instance.project_id,
            keys=self._vault.seal(keys),
            gateway_hash=line_of(keys["gateway"]),
        )
        return made

    def variables(self, repository_id: str) -> dict[str, Any]:
        """Secret variables for a playbook; the gateway knows its user when this returns."""
        repository = Repository.get_by_id(repository_id)
        self.publish()
        keys = self._vault.unseal(repository.keys)
        return {
            "coffer_repository_password": keys["repository"],
            "coffer_gateway_password": keys["gateway"],
        }

    def key(self, repository_id: str) -> str:
        """The password of the repository itself, for who reads it on this host."""
        keys = self._vault.unseal(Repository.get_by_id(repository_id).keys)
        return str(keys["repository"])

    def publish(self) -> None:
        """Write the gateway's users as the records have them, if the file differs."""
        path = Path(self._settings.gateway_users)
        with path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            rows = Repository.select().order_by(Repository.id)
            text = "".join(f"{row.id}:{row.gateway_hash}\n" for row in rows)
            if not path.exists() or path.read_text() != text:
                _replace(path, text)


def line_of(password: str) -> str:
    """How the gateway stores it. A random password of 256 bits needs no slow hash, and the
    gateway hashes again for each of thousands of requests."""
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "{SHA}" + base64.b64encode(digest).decode()


def _replace(path: Path, text: str) -> None:
    """Whole or not at all, and with the owner that the file had."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.chmod(0o640)
    if path.exists():
        before = path.stat()
        os.chown(new, before.st_uid, before.st_gid)
    new.replace(path)
