"""The repositories of backups: keys, and the users of the gateway that guests leave them at."""

import base64
import fcntl
import hashlib
from pathlib import Path
from typing import Any

from coffer.errors import BadRequest, Conflict, Unprocessable
from coffer.files import replace
from coffer.models import Backup, Instance, Repository
from coffer.restic import environment
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
        """Secret variables for a playbook; the gateway knows its user when this returns.

        Another control plane's repository has none: it is only read, and not through the gateway.
        """
        repository = Repository.get_by_id(repository_id)
        self.publish()
        keys = self._vault.unseal(repository.keys)
        return {f"coffer_{name}_password": key for name, key in keys.items()}

    def key(self, repository_id: str) -> str:
        """The password of the repository itself, for who reads it on this host."""
        keys = self._vault.unseal(Repository.get_by_id(repository_id).keys)
        return str(keys["repository"])

    def enter(self, repository_id: str, source: str, key: str, project_id: str) -> Repository:
        """Another control plane's repository; runs inside the caller's transaction.

        Raises:
            Conflict: it is this installation's own, or another project has entered it.
        """
        found: Repository | None = Repository.get_or_none(Repository.id == repository_id)
        if found is None:
            made: Repository = Repository.create(
                id=repository_id,
                source=source,
                project_id=project_id,
                keys=self._vault.seal({"repository": key}),
                gateway_hash="",
            )
            return made
        if found.source != source or found.project_id != project_id:
            raise Conflict(f"restore_from: repository {repository_id} is in use here already")
        return found

    def storage(self, repository_id: str) -> str:
        """Where the repository lies, as rclone names it, without the repository's own name.

        Raises:
            Unprocessable: its source is none of this installation's any more.
        """
        source = str(Repository.get_by_id(repository_id).source)
        if source and source not in self._sources:
            raise Unprocessable(f"'{source}' is not among the setting backup_sources any more")
        return self._sources[source] if source else self._settings.backup_storage

    def environment(self, repository_id: str) -> dict[str, str]:
        """How restic opens the repository on this host.

        Raises:
            Unprocessable: its source is none of this installation's any more.
        """
        return self._environment(
            self.storage(repository_id), repository_id, self.key(repository_id)
        )

    def environment_of(self, source: str, repository_id: str, key: str) -> dict[str, str]:
        """The same of a repository that is not entered yet.

        Raises:
            BadRequest: there is no such source.
        """
        if source not in self._sources:
            names = ", ".join(sorted(self._sources))
            raise BadRequest(f"restore_from.remote_location: '{source}' is not one of {names}")
        return self._environment(self._sources[source], repository_id, key)

    @property
    def _sources(self) -> dict[str, str]:
        """Places by name; this installation's own name is its region."""
        own = {self._settings.region: self._settings.backup_storage}
        return own | self._settings.backup_sources

    def _environment(self, storage: str, repository_id: str, key: str) -> dict[str, str]:
        return environment(f"{storage}/{repository_id}", key, self._settings.rclone_config)

    def publish(self) -> None:
        """Write the gateway's users as the records have them, if the file differs."""
        path = Path(self._settings.gateway_users)
        with path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            rows = Repository.select().where(Repository.source == "").order_by(Repository.id)
            text = "".join(f"{row.id}:{row.gateway_hash}\n" for row in rows)
            if not path.exists() or path.read_text() != text:
                replace(path, text, 0o640)


def forget_if_foreign(repository: Repository) -> None:
    """With its last backup goes what is known of another's repository."""
    if repository.source and not Backup.select().where(Backup.repository == repository).exists():
        repository.delete_instance()


def line_of(password: str) -> str:
    """How the gateway stores it. A random password of 256 bits needs no slow hash, and the
    gateway hashes again for each of thousands of requests."""
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "{SHA}" + base64.b64encode(digest).decode()
