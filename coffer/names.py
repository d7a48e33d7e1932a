"""Rules for names, passwords and hosts: Trove's, and each engine's own limits."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from coffer.catalogue import Engine, Field
from coffer.errors import BadRequest
from coffer.saslprep import refusal

_HOST = re.compile(r"[A-Za-z0-9_.:/%-]{1,255}")


def check_databases(databases: Iterable[Mapping[str, Any]], engine: Engine) -> None:
    """Refuse databases that the engine would not take.

    Raises:
        BadRequest: naming the field and the rule.
    """
    seen: set[str] = set()
    for index, database in enumerate(databases):
        where, name = f"databases[{index}].name", database["name"]
        check_database_name(where, name, engine)
        if same_database(name, engine) in seen:
            raise BadRequest(f"{where}: '{name}' is given twice")
        seen.add(same_database(name, engine))


def check_database_name(where: str, name: str, engine: Engine) -> None:
    """Refuse a name that cannot be a database's.

    Raises:
        BadRequest: naming the field and the rule.
    """
    _check_name("database_name", where, name, engine)


def same_database(name: str, engine: Engine) -> str:
    """What two names have in common that cannot both be databases."""
    return name if engine.database_case else name.casefold()


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
        _check_name("user_name", f"{where}.name", user["name"], engine)
        host = user.get("host") or "%"
        key = (user["name"], host if "several_hosts" in engine.features else "")
        if key in seen:
            raise BadRequest(f"{where}: '{user['name']}@{host}' is given twice")
        seen.add(key)
        check_host(f"{where}.host", host, engine)
        if with_password:
            check_password(f"{where}.password", user.get("password"), engine)
        granted = user.get("databases") or []
        check_grants(f"{where}.databases", granted, engine)
        _check_asked_for(where, granted, databases)


def check_grants(where: str, granted: Iterable[Mapping[str, Any]], engine: Engine) -> None:
    """Refuse databases that cannot be granted, and kinds of access that the engine has not.

    Raises:
        BadRequest: naming the field and the rule.
    """
    for index, row in enumerate(granted):
        check_database_name(f"{where}[{index}].name", row["name"], engine)
        kind = row.get("access")
        if kind is not None and kind not in engine.access:
            known = ", ".join(engine.access)
            raise BadRequest(f"{where}[{index}].access: '{kind}' is not one of {known}")


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
    _refuse("password", where, password, engine)
    reason = refusal(password) if "saslprep" in engine.features else None
    if reason:
        raise BadRequest(f"{where}: {reason}")


def check_host(where: str, host: str, engine: Engine) -> None:
    """Refuse what is no address, host name or pattern of one (`%` and `_` stand for anything).

    Raises:
        BadRequest: naming the field.
    """
    if not _HOST.fullmatch(host):
        raise BadRequest(f"{where}: '{host}' is no address, host name or pattern such as 10.0.0.%")
    _refuse("host", where, host, engine)


def _refuse(field: Field, where: str, text: str, engine: Engine) -> None:
    """What the engine's catalogue refuses."""
    for rule in engine.refused:
        found = rule.pattern and re.search(rule.pattern, text)
        if rule.field == field and (found or (rule.only and not re.fullmatch(rule.only, text))):
            raise BadRequest(f"{where}: {rule.because}")


def _check_asked_for(
    where: str, granted: Iterable[Mapping[str, Any]], databases: set[str] | None
) -> None:
    for database in granted:
        if databases is not None and database["name"] not in databases:
            raise BadRequest(
                f"{where}.databases: '{database['name']}' is not among the databases asked for"
            )


def _check_name(
    field: Literal["database_name", "user_name"], where: str, name: str, engine: Engine
) -> None:
    limits, reserved = engine.limits, engine.reserved
    longest = limits.database_name if field == "database_name" else limits.user_name
    length = len(name if limits.counted == "characters" else name.encode())
    if length > longest:
        raise BadRequest(f"{where}: {length} {limits.counted}, the engine takes {longest}")
    if name.lower() in (reserved.databases if field == "database_name" else reserved.users):
        raise BadRequest(f"{where}: '{name}' is reserved")
    if name != name.strip():
        raise BadRequest(f"{where}: begins or ends with white space")
    if not name.isprintable():
        raise BadRequest(f"{where}: holds a control character or another that cannot be seen")
    _refuse(field, where, name, engine)
