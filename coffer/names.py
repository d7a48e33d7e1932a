"""Rules for the names of databases and users: Trove's, and each engine's own limits."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from coffer.catalogue import Engine
from coffer.errors import BadRequest

_HOST = re.compile(r"[A-Za-z0-9_.:/%-]{1,255}")


def check_databases(databases: Iterable[Mapping[str, Any]], engine: Engine) -> None:
    """Refuse databases that the engine would not take.

    Raises:
        BadRequest: naming the field and the rule.
    """
    seen: set[str] = set()
    for index, database in enumerate(databases):
        where, name = f"databases[{index}].name", database["name"]
        _check_name(where, name, engine.limits.database_name, engine.reserved.databases)
        if name in seen:
            raise BadRequest(f"{where}: '{name}' is given twice")
        seen.add(name)


def check_users(
    users: Iterable[Mapping[str, Any]],
    databases: set[str] | None,
    engine: Engine,
    with_password: bool = True,
) -> None:
    """Refuse users that the engine would not take; `databases` None leaves grants unchecked.

    Raises:
        BadRequest: naming the field and the rule.
    """
    seen: set[tuple[str, str]] = set()
    for index, user in enumerate(users):
        where = f"users[{index}]"
        _check_name(f"{where}.name", user["name"], engine.limits.user_name, engine.reserved.users)
        key = (user["name"], user.get("host") or "%")
        if key in seen:
            raise BadRequest(f"{where}: '{key[0]}@{key[1]}' is given twice")
        seen.add(key)
        check_host(f"{where}.host", key[1])
        if with_password:
            check_password(f"{where}.password", user.get("password"), engine)
        _check_grants(where, user.get("databases") or [], databases)


def check_password(where: str, password: str | None, engine: Engine) -> None:
    """Refuse a password that is missing or that the engine would not take.

    Raises:
        BadRequest: naming the field.
    """
    if not password:
        raise BadRequest(f"{where}: is required")
    longest = engine.limits.password
    if len(password.encode()) > longest:
        raise BadRequest(f"{where}: longer than the {longest} bytes that the engine takes")
    if "\0" in password:
        raise BadRequest(f"{where}: holds a NUL character")


def check_host(where: str, host: str) -> None:
    """Refuse what is no address, host name or pattern of one (`%` and `_` stand for anything).

    Raises:
        BadRequest: naming the field.
    """
    if not _HOST.fullmatch(host):
        raise BadRequest(f"{where}: '{host}' is no address, host name or pattern such as 10.0.0.%")


def _check_grants(
    where: str, granted: Iterable[Mapping[str, Any]], databases: set[str] | None
) -> None:
    for database in granted:
        if databases is not None and database["name"] not in databases:
            raise BadRequest(
                f"{where}.databases: '{database['name']}' is not among the databases asked for"
            )


def _check_name(where: str, name: str, longest: int, reserved: Iterable[str]) -> None:
    if len(name) > longest:
        raise BadRequest(f"{where}: {len(name)} characters, the engine takes {longest}")
    if name.lower() in reserved:
        raise BadRequest(f"{where}: '{name}' is reserved")
    if name != name.strip():
        raise BadRequest(f"{where}: begins or ends with white space")
    if any(not letter.isprintable() or ord(letter) > 0xFFFF for letter in name):
        raise BadRequest(f"{where}: holds a character that the engine does not take in names")
