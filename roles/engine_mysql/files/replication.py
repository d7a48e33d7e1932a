# Follows the role mysql_family's server.py and dialect.py. MySQL's words for replication.
# ruff: noqa: F821
import time
from typing import Any

import pymysql

BUSY, LOST, NO_RESTART = 3634, 2013, 3707
"""Another copy is being taken; the server has ended itself, or was to be started by somebody."""


class Dialect(Words):
    """Replication by GTID with automatic positions; copies come by the clone plugin."""

    read_only = "super_read_only"
    show = "SHOW REPLICA STATUS"
    sleeping = "REPLICA_SIDE_DISABLED"

    def make_account(self, name: str, password: str) -> None:
        """It may fetch changes and copies, with a certificate of the installation's authority."""
        clause = "%s@'%%' IDENTIFIED WITH caching_sha2_password BY %s REQUIRE X509"
        self._server.rows(f"CREATE USER IF NOT EXISTS {clause}", [name, password])
        self._server.rows(f"ALTER USER {clause}", [name, password])
        self._server.rows("GRANT REPLICATION SLAVE, BACKUP_ADMIN ON *.* TO %s@'%%'", [name])

    def prepare_source(self) -> bool:
        """The clone plugin."""
        found = "SELECT COUNT(*) FROM information_schema.plugins WHERE plugin_name = 'clone'"
        if self._server.one(found):
            return False
        self._server.rows("INSTALL PLUGIN clone SONAME 'mysql_clone.so'")
        return True

    def copy(self, told: dict[str, Any], name: str) -> None:
        """The source sends its files; the server starts anew on them."""
        for statement in ("SET GLOBAL super_read_only = OFF", "SET GLOBAL read_only = OFF"):
            self._server.rows(statement)
        self.prepare_source()
        donor = f"{told['address']}:{told['port']}"
        self._server.rows("SET GLOBAL clone_valid_donor_list = %s", [donor])
        for part, file in (("ca", "ca.pem"), ("cert", "server.pem"), ("key", "server.key")):
            self._server.rows(f"SET GLOBAL clone_ssl_{part} = %s", [f"{TLS}/{file}"])
        ends = time.monotonic() + told["seconds"]
        while not self._copied(told, name) and time.monotonic() < ends:
            time.sleep(1)

    def _copied(self, told: dict[str, Any], name: str) -> bool:
        """False while the source is busy with another copy."""
        try:
            self._server.rows(
                "CLONE INSTANCE FROM %s@%s:%s IDENTIFIED BY %s REQUIRE SSL",
                (name, told["address"], told["port"], told["password"]),
            )
        except pymysql.MySQLError as error:
            if error.args[0] not in (BUSY, LOST, NO_RESTART):
                raise
            return bool(error.args[0] != BUSY)
        return True

    def position(self) -> str:
        """All transactions that are here."""
        return str(self._server.one("SELECT @@GLOBAL.gtid_executed")).replace("\n", "")

    def has(self, position: str) -> bool:
        """Whether all of these are here."""
        found = self._server.rows("SELECT GTID_SUBSET(%s, @@GLOBAL.gtid_executed)", [position])
        return bool(found[0][0])

    def follows(self, address: str, port: int) -> bool:
        """Whether it is that server's replica, and both halves of replication run."""
        status = self.status()
        place = (status.get("Source_Host"), status.get("Source_Port"))
        running = (status.get("Replica_IO_Running"), status.get("Replica_SQL_Running"))
        return place == (address, port) and "No" not in running

    def follow(self, address: str, port: int, name: str, password: str) -> None:
        """From where it is; it tries for as long as it takes."""
        self._server.rows("STOP REPLICA")
        self._server.rows(
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST = %s, SOURCE_PORT = %s, SOURCE_USER = %s,"
            " SOURCE_PASSWORD = %s, SOURCE_AUTO_POSITION = 1, SOURCE_SSL = 1, SOURCE_SSL_CA = %s,"
            " SOURCE_SSL_CERT = %s, SOURCE_SSL_KEY = %s, SOURCE_SSL_VERIFY_SERVER_CERT = 1,"
            " SOURCE_CONNECT_RETRY = 2, SOURCE_RETRY_COUNT = 0, SOURCE_HEARTBEAT_PERIOD = 5",
            [address, port, name, password]
            + [f"{TLS}/{file}" for file in ("ca.pem", "server.pem", "server.key")],
        )
        self._server.rows("START REPLICA")

    def forget_source(self) -> None:
        """It is nobody's replica."""
        self._server.rows("STOP REPLICA")
        self._server.rows("RESET REPLICA ALL")

    def stop_receiving(self) -> None:
        """What was received is applied on."""
        self._server.rows("STOP REPLICA IO_THREAD")

    def is_drained(self) -> bool:
        """Whether all that was received is applied."""
        received = self.status().get("Retrieved_Gtid_Set") or ""
        return self.has(received.replace("\n", ""))

    def is_connected(self) -> bool:
        """Whether the source sends."""
        return self.status().get("Replica_IO_Running") == "Yes"

    def trouble(self) -> str:
        """Why the source does not send."""
        return str(self.status().get("Last_IO_Error") or "")
