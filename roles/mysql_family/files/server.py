"""The server of this guest, for programs that back it up or look at what a restore brought."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pymysql
import pymysql.cursors

SOCKET = "/run/mysqld/mysqld.sock"
OURS = ("mysql", "information_schema", "performance_schema", "sys", "coffer")
"""Databases whose rows change by themselves."""


class Server:
    """A connection as root, by the socket."""

    def __init__(self) -> None:
        self._connection = pymysql.connect(
            unix_socket=SOCKET, user="root", charset="utf8mb4", autocommit=True
        )

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of the answer."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall())

    def named(self, statement: str) -> dict[str, Any]:
        """The first row of the answer by column; empty when there is none."""
        with self._connection.cursor(pymysql.cursors.DictCursor) as cursor:
            cursor.execute(statement)
            return dict(cursor.fetchone() or {})

    def one(self, statement: str) -> Any:
        """The first column of the first row."""
        return self.rows(statement)[0][0]

    def counts(self, seconds: float) -> dict[str, int]:
        """Rows by `database.table`; tables that there was no time for are left out."""
        ends = time.monotonic() + seconds
        marks = ", ".join(["%s"] * len(OURS))
        tables = self.rows(
            "SELECT table_schema, table_name FROM information_schema.tables"  # noqa: S608
            f" WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ({marks})"
            " ORDER BY data_length",
            OURS,
        )
        found = {}
        for schema, table in tables:
            if time.monotonic() > ends:
                break
            quoted = ".".join(f"`{name.replace('`', '``')}`" for name in (schema, table))
            found[f"{schema}.{table}"] = int(self.one(f"SELECT COUNT(*) FROM {quoted}"))  # noqa: S608
        return found


def bounds(before: dict[str, int], after: dict[str, int]) -> dict[str, list[int]]:
    """Least and greatest number of rows that a table may have in what was copied meanwhile."""
    return {
        name: sorted([before[name], after[name]]) for name in sorted(before.keys() & after.keys())
    }
