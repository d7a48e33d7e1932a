"""A backup as plain files of its engine: a dump, or an archive of the data directory."""

import subprocess
import tempfile
from pathlib import PurePosixPath
from typing import Any

from coffer.backup_ends import WHOLE, display_backup_status
from coffer.backup_uses import deleter
from coffer.errors import Conflict, Unprocessable
from coffer.models import Backup
from coffer.repositories import Repositories

CHUNK = 1 << 16


class Export:
    """What restic writes of a backup, to be read and closed like a file."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        """`name` is a name for the file.

        Raises:
            Unprocessable: nothing can be read, and why.
        """
        self.name = name
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - close() closes it
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self._said, env=environment
        )
        try:
            self._first = self._next(CHUNK)  # what goes wrong at once is still an answer
        except OSError as error:
            self.close()
            raise Unprocessable(f"the backup cannot be read: {error}") from None

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes, at most `size`; none at the end.

        Raises:
            OSError: it broke off; who has read so far has only a part.
        """
        if self._first:
            first, self._first = self._first[:size], self._first[size:]
            return first
        return self._next(-1 if size is None else size)

    def _next(self, size: int) -> bytes:
        source: Any = self._process.stdout
        data: bytes = source.read1(size)
        if not data and self._process.wait():
            self._said.seek(0)
            lines = self._said.read().decode(errors="replace").strip().splitlines()
            raise OSError(lines[-1] if lines else "restic gave no reason")
        return data

    def close(self) -> None:
        """End it, read or not."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._said.close()


class Exports:
    """Opens backups in the storage."""

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories

    def open(self, backup: Backup) -> Export:
        """The backup's data.

        Raises:
            Conflict: it is not complete, or is being deleted.
            Unprocessable: the storage does not give it.
        """
        status = display_backup_status(backup)
        if status not in WHOLE:
            raise Conflict(f"backup {backup.id} is {status}, not COMPLETED")
        if busy := deleter(backup.repository_id):
            raise Conflict(f"{busy.kind} (operation {busy.id}) works on the backups: wait")
        environment = self._repositories.environment(backup.repository_id)
        path = backup.details["path"]
        archive = ["--archive", "tar"] if backup.details["kind"] == "directory" else []
        ending = ".tar" if archive else PurePosixPath(path).suffix
        command = ["restic", "dump", "--quiet", "--no-lock", "--no-cache", *archive]
        return Export(backup.id + ending, [*command, str(backup.snapshot), path], environment)
