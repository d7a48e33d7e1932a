# Follows the role mysql_family's server.py and dialect.py. MariaDB's words for replication.
# ruff: noqa: F821
from pathlib import Path

COPIED = ("xtrabackup_binlog_info", "mariadb_backup_binlog_info")
"""Where a copy of files says which transaction it ends with."""


class Dialect(Words):
    """Replication by MariaDB's own GTID, `<domain>-<server>-<number>`; there is one domain.

    Copies are brought from outside (the entry point `copy`). Who has the right READ ONLY ADMIN may
    change data whatever `read_only` says.
    """

    read_only = "read_only"
    show = "SHOW SLAVE STATUS"
    sleeping = "SLAVESIDE_DISABLED"

    def make_account(self, name: str, password: str) -> None:
        """It may fetch changes, with a certificate of the installation's authority."""
        account = "CREATE OR REPLACE USER %s@'%%' IDENTIFIED BY %s REQUIRE X509"
        self._server.rows(account, [name, password])
        self._server.rows("GRANT REPLICATION SLAVE ON *.* TO %s@'%%'", [name])

    def position(self) -> str:
        """The last transaction that is here."""
        return str(self._server.one("SELECT @@GLOBAL.gtid_current_pos"))

    def has(self, position: str) -> bool:
        """Whether it and all before it are here."""
        here = _numbers(self.position())
        return all(here.get(domain, 0) >= number for domain, number in _numbers(position).items())

    def follows(self, address: str, port: int) -> bool:
        """Whether it is that server's replica, and both halves of replication run."""
        status = self.status()
        place = (status.get("Master_Host"), status.get("Master_Port"))
        running = (status.get("Slave_IO_Running"), status.get("Slave_SQL_Running"))
        return place == (address, port) and "No" not in running

    def follow(self, address: str, port: int, name: str, password: str) -> None:
        """From where its data are: those that were copied, or its own as a source."""
        self._server.rows("STOP SLAVE")
        if not self.is_replica():
            self._server.rows("SET GLOBAL gtid_slave_pos = %s", [self._start()])
        self._server.rows(
            "CHANGE MASTER TO MASTER_HOST = %s, MASTER_PORT = %s, MASTER_USER = %s,"
            " MASTER_PASSWORD = %s, MASTER_USE_GTID = slave_pos, MASTER_SSL = 1,"
            " MASTER_SSL_CA = %s, MASTER_SSL_CERT = %s, MASTER_SSL_KEY = %s,"
            " MASTER_SSL_VERIFY_SERVER_CERT = 1, MASTER_CONNECT_RETRY = 2,"
            " MASTER_HEARTBEAT_PERIOD = 5",
            [address, port, name, password]
            + [f"{TLS}/{file}" for file in ("ca.pem", "server.pem", "server.key")],
        )
        self._server.rows("START SLAVE")
        for path in self._places():
            path.unlink(missing_ok=True)

    def _start(self) -> str:
        """The transaction that its data end with."""
        for path in self._places():
            if path.exists():
                words = path.read_text().split()
                return words[2] if len(words) > 2 else ""
        return self.position()

    def _places(self) -> list[Path]:
        data = Path(self._server.one("SELECT @@datadir"))
        return [data / name for name in COPIED]

    def forget_source(self) -> None:
        """It is nobody's replica."""
        self._server.rows("STOP SLAVE")
        self._server.rows("RESET SLAVE ALL")

    def stop_receiving(self) -> None:
        """What was received is applied on."""
        self._server.rows("STOP SLAVE IO_THREAD")

    def is_drained(self) -> bool:
        """Whether all that was received is applied."""
        return self.has(self.status().get("Gtid_IO_Pos") or "")

    def is_connected(self) -> bool:
        """Whether the source sends."""
        return bool(self.status().get("Slave_IO_Running") == "Yes")

    def trouble(self) -> str:
        """Why the source does not send."""
        return str(self.status().get("Last_IO_Error") or "")


def _numbers(position: str) -> dict[str, int]:
    """The number of the last transaction, by domain."""
    parts = (text.strip().split("-") for text in position.split(",") if text.strip())
    return {domain: int(number) for domain, _server, number in parts}
