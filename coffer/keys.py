"""Rotation of the keys that encrypt stored secrets, while the services run.

Every process looks at the key file before it encrypts or decrypts (`coffer.secrets`), so a new key
is in use as soon as it stands there. The key before it stays in the file: copies of the records
that are older than the rotation are read with it.
"""

from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from coffer.files import replace
from coffer.models import LogPiece, Repository, Secret
from coffer.secrets import Vault, read_keys

SEALED: tuple[tuple[Any, Any], ...] = (
    (Secret, Secret.value),
    (Repository, Repository.keys),
    (LogPiece, LogPiece.content),
)
"""Tables and columns of what is encrypted."""


def add(file: Path) -> None:
    """Put a new key first; makes the file if there is none."""
    known = read_keys(file) if file.exists() else []
    _write(file, [Fernet.generate_key().decode(), *known])


def reseal(vault: Vault) -> int:
    """Encrypt with the newest key whatever is not; how much was.

    What somebody changes at the same moment keeps that change, which the newest key encrypts.
    """
    return sum(_reseal(vault, table, column) for table, column in SEALED)


def _reseal(vault: Vault, table: Any, column: Any) -> int:
    done = 0
    for row in list(table.select()):
        old = getattr(row, column.name)
        if not vault.is_newest(old):
            new = {column.name: vault.reseal(old)}
            done += table.update(new).where(row._pk_expr(), column == old).execute()
    return done


def drop_older(file: Path) -> int:
    """Keep the newest key and the one before it; how many went."""
    known = read_keys(file)
    if len(known) > 2:
        _write(file, known[:2])
    return max(0, len(known) - 2)


def _write(file: Path, keys: list[str]) -> None:
    replace(file, "".join(f"{key}\n" for key in keys))
