"""The connection to the records: SQLite (WAL) by default, PostgreSQL by URL."""

import os
from typing import Any
from urllib.parse import urlsplit

import peewee
from playhouse.db_url import parse
from playhouse.migrations import Runner
from playhouse.pool import PooledPostgresqlDatabase, PooledSqliteDatabase

from coffer.paths import MIGRATIONS

database = peewee.DatabaseProxy()

_SQLITE_PRAGMAS = {
    "journal_mode": "wal",
    "busy_timeout": 30_000,  # milliseconds that a writer waits for another one
    "foreign_keys": 1,
    "synchronous": "full",  # a committed row survives a power cut
}
_POOL = {"max_connections": 64, "stale_timeout": 300}


def connect(url: str) -> peewee.Database:
    """Bind the models to the database at `url` (`sqlite:///…` or `postgresql://…`).

    Raises:
        ValueError: the scheme is neither of the two.
    """
    scheme = urlsplit(url).scheme
    if scheme not in _OPENERS:
        raise ValueError(f"database_url: '{scheme}' is not one of {', '.join(_OPENERS)}")
    opened = _OPENERS[scheme](parse(url))
    database.initialize(opened)
    return opened


def _sqlite(parameters: dict[str, Any]) -> peewee.Database:
    return PooledSqliteDatabase(
        parameters["database"], pragmas=_SQLITE_PRAGMAS, check_same_thread=False, **_POOL
    )


def _postgresql(parameters: dict[str, Any]) -> peewee.Database:
    return PooledPostgresqlDatabase(parameters.pop("database"), **parameters, **_POOL)


_OPENERS = {"sqlite": _sqlite, "postgresql": _postgresql}


def _leave_nothing_to_a_child() -> None:
    """A connection of SQLite that is used on both sides of a fork damages the file.

    A worker's own process opens one when a job of its was killed, and the pool would keep it for
    the next job's process. (SQLite, "How To Corrupt An SQLite Database File", section 2.6.)
    """
    if database.obj is not None:
        database.obj.close_idle()


os.register_at_fork(before=_leave_nothing_to_a_child)


def transaction() -> Any:
    """A transaction that takes SQLite's write lock at once, so that it never has to be repeated."""
    target = database.obj
    if isinstance(target, peewee.SqliteDatabase):
        return target.atomic("IMMEDIATE")
    return target.atomic()


def migrate() -> list[str]:
    """Bring the schema up to date; returns the names of the migrations that ran."""
    with database.connection_context():
        return list(Runner(database.obj, str(MIGRATIONS)).up())
