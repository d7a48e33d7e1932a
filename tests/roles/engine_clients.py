"""Clients as applications use them, one for each kind of engine."""

import socket
import ssl
from pathlib import Path
from typing import Any, Protocol

import pymysql


class RefusedError(Exception):
    """The engine, or the client's own check of the certificate, said no."""


class Client(Protocol):
    """What the contract test asks of a client."""

    def databases(
        self,
        address: str,
        user: str,
        password: str,
        ca: Path | None,
        name: str | None = None,
        write: bool = True,
    ) -> set[str]:
        """Names of the databases that the user sees; `write` proves that it can use them.

        Without `ca` the connection is not encrypted; `name` is what the certificate must prove.

        Raises:
            RefusedError: no connection, no trust or no right.
        """
        ...

    def keep(self, address: str, user: str, password: str, ca: Path, database: str) -> int:
        """Write one more row; returns how many there are now, of all calls.

        Raises:
            RefusedError: no connection, no trust or no right.
        """
        ...


class MySQL:
    """PyMySQL."""

    def databases(
        self,
        address: str,
        user: str,
        password: str,
        ca: Path | None,
        name: str | None = None,
        write: bool = True,
    ) -> set[str]:
        context = _context(ca, name or address) if ca else None
        try:
            connection = pymysql.connect(
                host=address,
                user=user,
                password=password.encode(),
                ssl=context,
                ssl_disabled=not ca,
            )
        except (pymysql.MySQLError, RuntimeError) as error:
            raise RefusedError(str(error)) from None
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("SHOW DATABASES")
                found = {row[0] for row in cursor.fetchall()}
                found -= {"information_schema", "performance_schema"}
                for database in found if write else ():
                    self._write(cursor, "`" + database.replace("`", "``") + "`")
                return found
        except pymysql.MySQLError as error:
            raise RefusedError(str(error)) from None

    def keep(self, address: str, user: str, password: str, ca: Path, database: str) -> int:
        try:
            connection = pymysql.connect(
                host=address,
                user=user,
                password=password.encode(),
                database=database,
                ssl=_context(ca, address),
                autocommit=True,
            )
            with connection, connection.cursor() as cursor:
                cursor.execute("CREATE TABLE IF NOT EXISTS kept (a SERIAL)")
                cursor.execute("INSERT INTO kept VALUES ()")
                cursor.execute("SELECT COUNT(*) FROM kept")
                return int((cursor.fetchone() or [0])[0])
        except pymysql.MySQLError as error:
            raise RefusedError(str(error)) from None

    def _write(self, cursor: Any, database: str) -> None:
        cursor.execute(f"CREATE TABLE {database}.proof (a INT PRIMARY KEY)")
        cursor.execute(f"INSERT INTO {database}.proof VALUES (1)")  # noqa: S608 - quoted by the caller
        cursor.execute(f"DROP TABLE {database}.proof")


class MongoDB:
    """pymongo."""

    def databases(
        self,
        address: str,
        user: str,
        password: str,
        ca: Path | None,
        name: str | None = None,
        write: bool = True,
    ) -> set[str]:
        from pymongo.errors import PyMongoError

        try:
            if ca and name:
                self._prove(address, ca, name)
            with self._client(address, user, password, ca) as client:
                found = set(client.list_database_names()) - {"admin", "config", "local", "coffer"}
                for database in found if write else ():
                    client[database].proof.insert_one({"a": 1})
                    client[database].proof.drop()
                return found
        except (PyMongoError, OSError, ValueError) as error:
            raise RefusedError(str(error)) from None

    def keep(self, address: str, user: str, password: str, ca: Path, database: str) -> int:
        from pymongo.errors import PyMongoError

        try:
            with self._client(address, user, password, ca) as client:
                client[database].kept.insert_one({})
                return int(client[database].kept.count_documents({}))
        except (PyMongoError, ValueError) as error:
            raise RefusedError(str(error)) from None

    def _client(self, address: str, user: str, password: str, ca: Path | None) -> Any:
        from pymongo import MongoClient

        trust: dict[str, Any] = {"tlsCAFile": str(ca)} if ca else {}
        return MongoClient(
            address,
            username=user,
            password=password or None,
            authSource="admin",
            replicaSet="coffer",
            tls=ca is not None,
            serverSelectionTimeoutMS=5000,
            **trust,
        )

    @staticmethod
    def _prove(address: str, ca: Path, name: str) -> None:
        """pymongo checks the certificate against the address alone."""
        with socket.create_connection((address, 27017), 5) as plain:
            _context(ca, name).wrap_socket(plain).close()


class _NamedContext(ssl.SSLContext):
    """Checks the certificate against a name of the test's choice."""

    name = ""

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        return super().wrap_socket(*arguments, **{**options, "server_hostname": self.name})


def _context(ca: Path, name: str) -> ssl.SSLContext:
    context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(ca)
    context.name = name
    return context


CLIENTS: dict[str, Client] = {"mongodb": MongoDB(), "mysql": MySQL()}
