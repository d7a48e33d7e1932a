# Follows server.py. What replication is in both MySQL's and MariaDB's words; the engine's own
# replication.py follows, then replicate.py.
import contextlib
from typing import Any

import pymysql

TLS = "/etc/mysql/tls"
"""Where a replica has its certificate, which proves it to its source."""
SWITCH_SECONDS = 3
"""How long statements of clients that hold locks are waited for."""


class Words:
    """What an engine's `Dialect` inherits."""

    read_only: str
    """The variable that keeps clients from writing."""
    show: str
    """The statement that tells of replication."""
    sleeping: str
    """The condition of an event that came by replication."""

    def __init__(self, server: Any) -> None:
        self._server = server

    def has_account(self, name: str) -> bool:
        """Whether it was made."""
        return bool(self._server.rows("SELECT 1 FROM mysql.user WHERE user = %s", [name]))

    def drop_account(self, name: str) -> None:
        """Nobody comes any more."""
        self._server.rows("DROP USER %s@'%%'", [name])

    def prepare_source(self) -> bool:
        """What a copy needs of the server; says whether that was missing."""
        return False

    def writable(self) -> bool:
        """Whether clients may change data."""
        return not self._server.one(f"SELECT @@GLOBAL.{self.read_only}")

    def close_to_writes(self) -> None:
        """Commits that are under way end first; whoever holds locks for long is sent away."""
        self._server.rows(f"SET SESSION lock_wait_timeout = {SWITCH_SECONDS}")
        try:
            self._server.rows(f"SET GLOBAL {self.read_only} = ON")
        except pymysql.MySQLError:
            self.end_clients()
            self._server.rows(f"SET GLOBAL {self.read_only} = ON")

    def open_to_writes(self) -> None:
        """For everybody; the wider variable closes with the narrower one, and opens by itself."""
        for variable in dict.fromkeys((self.read_only, "read_only")):
            self._server.rows(f"SET GLOBAL {variable} = OFF")

    def end_clients(self) -> None:
        """Connections from outside, but those of replicas."""
        found = self._server.rows(
            "SELECT id FROM information_schema.processlist WHERE host LIKE '%:%'"
            " AND command NOT LIKE 'Binlog Dump%' AND user <> 'system user'"
        )
        for (number,) in found:
            with contextlib.suppress(pymysql.MySQLError):  # it has gone by itself
                self._server.rows(f"KILL {number}")

    def wake_events(self) -> None:
        """Events that came by replication sleep until somebody lets them run here."""
        asleep = self._server.rows(
            "SELECT event_schema, event_name, definer FROM information_schema.events"  # noqa: S608
            f" WHERE status = '{self.sleeping}'"
        )
        self._server.rows("SET SESSION sql_log_bin = 0")
        for schema, event, definer in asleep:
            user, _, host = definer.rpartition("@")
            name = ".".join(f"`{part.replace('`', '``')}`" for part in (schema, event))
            escaped = name.replace("%", "%%")
            self._server.rows(f"ALTER DEFINER = %s@%s EVENT {escaped} ENABLE", [user, host])
        self._server.rows("SET SESSION sql_log_bin = 1")

    def is_replica(self) -> bool:
        """Whether it knows a source."""
        return bool(self.status())

    def status(self) -> dict[str, Any]:
        """What the server tells of replication; empty when it knows no source."""
        found: dict[str, Any] = self._server.named(self.show)
        return found

    def error(self) -> str:
        """What applying stopped with."""
        return str(self.status().get("Last_SQL_Error") or "")
