"""Secrets at rest: Fernet with rotating keys; tokens only ever as hashes."""

import hashlib
import json
import secrets
import string
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from coffer.models import Instance, Secret

_ALPHABET = string.ascii_letters + string.digits
PASSWORD_LENGTH = 28


class Vault:
    """Reads and writes the encrypted secrets of instances."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Take Fernet keys, newest first.

        Raises:
            ValueError: there is no key; Coffer has no default one.
        """
        if not keys:
            raise ValueError("key_file: holds no key; make one with 'coffer-manage key add'")
        self._file: Path | None = None
        self._read: tuple[int, int] | None = None
        self._take(keys)

    @classmethod
    def from_file(cls, path: str) -> "Vault":
        """Read one key a line, and again whenever the file has changed: keys rotate.

        Raises:
            ValueError: the file is missing or empty.
        """
        file = Path(path)
        read = _signature(file) if file.is_file() else None
        made = cls(read_keys(file))
        made._file, made._read = file, read
        return made

    def _take(self, keys: Sequence[str]) -> None:
        self._newest = Fernet(keys[0])
        self._all = MultiFernet([Fernet(key) for key in keys])

    def _look(self) -> None:
        """Take the keys as their file has them now."""
        if self._file is not None and (found := _signature(self._file)) != self._read:
            self._take(read_keys(self._file))
            self._read = found

    def seal(self, value: Any) -> str:
        """A JSON-able value, encrypted."""
        self._look()
        return self._all.encrypt(json.dumps(value).encode()).decode()

    def unseal(self, sealed: str) -> Any:
        """What was sealed."""
        self._look()
        return json.loads(self._all.decrypt(sealed.encode()))

    def reseal(self, sealed: str) -> str:
        """The same, encrypted with the newest key."""
        self._look()
        return self._all.rotate(sealed.encode()).decode()

    def is_newest(self, sealed: str) -> bool:
        """Whether the newest key encrypted it."""
        self._look()
        try:
            self._newest.decrypt(sealed.encode())
        except InvalidToken:
            return False
        return True

    def put(self, instance: Instance, name: str, value: Any) -> None:
        """Store a JSON-able value under a name, replacing an older one."""
        sealed = self.seal(value)
        Secret.insert(instance=instance, name=name, value=sealed).on_conflict(
            conflict_target=[Secret.instance, Secret.name], update={"value": sealed}
        ).execute()

    def all(self, instance: Instance) -> dict[str, Any]:
        """Every secret of the instance by name."""
        rows = Secret.select().where(Secret.instance == instance)
        return {row.name: self.unseal(row.value) for row in rows}

    @staticmethod
    def forget(instance: Instance, *names: str) -> None:
        """Delete the named secrets of the instance, all of them when none is named."""
        owner: Any = Secret.instance
        query = Secret.delete().where(owner == instance)
        if names:
            query = query.where(Secret.name.in_(names))
        query.execute()


def read_keys(file: Path) -> list[str]:
    """The keys of a file, one a line, newest first.

    Raises:
        ValueError: the file is missing.
    """
    if not file.is_file():
        raise ValueError(f"key_file: {file} does not exist; 'coffer-manage key add' makes it")
    return file.read_text().split()


def _signature(file: Path) -> tuple[int, int]:
    """Changes with every change of the file, which is replaced, not written over."""
    found = file.stat()
    return found.st_ino, found.st_mtime_ns


def hash_token(token: str) -> str:
    """What is stored of a token. Plain SHA-256 is enough: tokens are random, not chosen."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> str:
    """A random token of 43 URL-safe characters."""
    return secrets.token_urlsafe(32)


def new_password() -> str:
    """A random password of `PASSWORD_LENGTH` letters and digits with at least one of each."""
    while True:
        word = "".join(secrets.choice(_ALPHABET) for _ in range(PASSWORD_LENGTH))
        if {"lower", "upper", "digit"} == {_class(letter) for letter in word}:
            return word


def _class(letter: str) -> str:
    return "digit" if letter.isdigit() else "upper" if letter.isupper() else "lower"


def new_host_key() -> tuple[str, str]:
    """An ed25519 SSH host key: the private part (OpenSSH PEM) and the public line."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return private.decode(), public.decode()
