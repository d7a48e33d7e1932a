"""Where MySQL and MariaDB keep accounts and grants, and how they speak of them."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from ansible_collections.community.mysql.plugins.module_utils.implementations.mysql.hash import (
    _sha256_digest,
)

from .server import Server


def identifier(name: str) -> str:
    """The name as the server reads it back unchanged."""
    return "`" + name.replace("`", "``") + "`"


def text(value: str | bytes) -> str:
    """What a column holds, whatever its type."""
    return value.decode("latin-1") if isinstance(value, bytes) else value


class MySQL:
    """Passwords by caching_sha2_password; partial_revokes makes _ and % letters in grants."""

    plugin = "caching_sha2_password"
    accounts = "SELECT user, host, plugin, authentication_string FROM mysql.user"

    def __init__(self, server: Server) -> None:
        self._server = server

    def identified(self, password: str) -> str:
        """The clause that gives an account its password."""
        return f"IDENTIFIED WITH {self.plugin} BY {self._server.text(password)}"

    def has_password(self, row: dict[str, Any], password: str) -> bool:
        """Whether the stored hash is of this password.

        `$A$`, thousands of rounds in three hexadecimal digits, `$`, 20 characters of salt, digest.
        The collection's public function knows five thousand rounds only, MySQL 9 takes ten.
        """
        stored = text(row["authentication_string"])
        if row["plugin"] != self.plugin or len(stored) != 70:
            return False
        rounds, salt, digest = int(stored[3:6], 16) * 1000, stored[7:27], stored[27:]
        return bool(_sha256_digest(password, salt, rounds) == digest)

    def granted(self, database: str) -> str:
        """The database's name as it stands in mysql.db."""
        return database

    def database(self, granted: str) -> str:
        """The other way round."""
        return granted

    def mark_root(self) -> str:
        """The statement that tells a superuser that was asked for from one left open."""
        mark = self._server.text('{"coffer": "root"}')
        return f"ALTER USER root@'%' ATTRIBUTE {mark}"


class MariaDB(MySQL):
    """Passwords by mysql_native_password, which every client knows; grants hold patterns."""

    plugin = "mysql_native_password"
    # Roles lie in the same table.
    accounts = f"{MySQL.accounts} WHERE is_role = 'N'"

    def identified(self, password: str) -> str:
        """The clause that gives an account its password."""
        return f"IDENTIFIED VIA {self.plugin} USING {self._server.text(self._hash(password))}"

    def has_password(self, row: dict[str, Any], password: str) -> bool:
        """Whether the stored hash is of this password."""
        stored = text(row["authentication_string"])
        return bool(row["plugin"] == self.plugin and stored == self._hash(password))

    @staticmethod
    def _hash(password: str) -> str:
        """Double SHA-1, as the protocol has it."""
        inner = hashlib.sha1(password.encode()).digest()  # noqa: S324
        return "*" + hashlib.sha1(inner).hexdigest().upper()  # noqa: S324

    def granted(self, database: str) -> str:
        r"""The database's name as it stands in mysql.db: _, % and \ are not letters."""
        return re.sub(r"([\\_%])", r"\\\1", database)

    def database(self, granted: str) -> str:
        """The other way round."""
        return re.sub(r"\\(.)", r"\1", granted)

    def mark_root(self) -> str:
        """The statement that tells a superuser that was asked for from one left open."""
        return (
            "UPDATE mysql.global_priv SET priv = JSON_SET(priv, '$.coffer', 'root')"
            " WHERE user = 'root' AND host = '%'"
        )


def dialect_of(server: Server) -> MySQL:
    """What this server speaks."""
    return MariaDB(server) if server.is_mariadb else MySQL(server)
