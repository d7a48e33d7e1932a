"""A table of checksums in an instance: what a user wrote is there, all of it and as it was."""

import hashlib
from typing import Any

import pymysql

from tests.e2e.guest import Guest

ROWS = 500
WANTED = {number: hashlib.sha256(str(number).encode()).hexdigest() for number in range(ROWS)}


class MySQL:
    """PyMySQL."""

    @staticmethod
    def _connect(guest: Guest) -> "pymysql.connections.Connection[Any]":
        return pymysql.connect(
            host=guest.address,
            user="app",
            password=guest.password,
            database="app",
            connect_timeout=5,
            read_timeout=30,
            autocommit=True,
            ssl={"ca": str(guest.ca)},
        )

    def fill(self, guest: Guest) -> None:
        """Write the table."""
        with self._connect(guest) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE checksums (id INT PRIMARY KEY, sum CHAR(64))")
            cursor.executemany("INSERT INTO checksums VALUES (%s, %s)", [*WANTED.items()])

    def read(self, guest: Guest) -> dict[int, str]:
        """Read the table."""
        with self._connect(guest) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT id, sum FROM checksums")
            return dict(cursor.fetchall())

    def empty(self, guest: Guest) -> None:
        """Drop the table."""
        with self._connect(guest) as connection, connection.cursor() as cursor:
            cursor.execute("DROP TABLE checksums")


class MongoDB:
    """pymongo."""

    @staticmethod
    def _connect(guest: Guest) -> Any:
        from pymongo import MongoClient

        return MongoClient(
            guest.address,
            username="app",
            password=guest.password,
            authSource="admin",
            replicaSet="coffer",
            tls=True,
            tlsCAFile=str(guest.ca),
            serverSelectionTimeoutMS=5000,
        )

    def fill(self, guest: Guest) -> None:
        """Write the collection."""
        with self._connect(guest) as client:
            client["app"].checksums.insert_many(
                {"_id": number, "sum": text} for number, text in WANTED.items()
            )

    def read(self, guest: Guest) -> dict[int, str]:
        """Read the collection."""
        with self._connect(guest) as client:
            return {row["_id"]: row["sum"] for row in client["app"].checksums.find()}

    def empty(self, guest: Guest) -> None:
        """Drop the collection."""
        with self._connect(guest) as client:
            client["app"].checksums.drop()


DATA: dict[str, MySQL | MongoDB] = {"mysql": MySQL(), "mongodb": MongoDB()}
"""By the engine's name."""
