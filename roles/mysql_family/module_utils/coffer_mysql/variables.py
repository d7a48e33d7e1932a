"""The variables of a running server beside those that it would start with."""

from __future__ import annotations

from typing import Any, NamedTuple

from .server import ProblemError, Server

READ_ONLY = 1238
SWITCH = {"true": "on", "yes": "on", "1": "on", "false": "off", "no": "off", "0": "off"}


class Change(NamedTuple):
    """A variable's running value, the one that it shall have, and its rule."""

    before: str
    after: str
    rule: dict[str, Any]


def explained(text: str) -> dict[str, str]:
    """Values by name from what `--verbose --help` prints below its last heading."""
    _, _, table = text.rpartition("\n-----")
    pairs = (line.split(None, 1) for line in table.splitlines()[1:] if line[:1].islower())
    values = {pair[0].replace("-", "_"): (*pair[1:], "")[0].rstrip() for pair in pairs}
    return {name: "" if value == "(No default value)" else value for name, value in values.items()}


def differing(
    server: Server, rules: list[dict[str, Any]], wanted: dict[str, str], named: set[str]
) -> dict[str, Change]:
    """What runs with another value than the one that it shall have.

    A value that the server chose by itself counts only where a file names its variable: not
    all such choices are made before the server tells what it would do.
    """
    running = {row["variable_name"]: row["value"] for row in server.rows("SHOW GLOBAL VARIABLES")}
    chosen = named | _set_by_someone(server)
    return {
        rule["name"]: Change(running[rule["name"]], wanted[rule["name"]], rule)
        for rule in rules
        if rule["name"] in chosen
        and rule["name"] in running
        and not same(running[rule["name"]], wanted[rule["name"]], rule["type"])
    }


def _set_by_someone(server: Server) -> set[str]:
    if server.is_mariadb:
        statement = (
            "SELECT LOWER(variable_name) AS name FROM information_schema.system_variables"
            " WHERE global_value_origin NOT IN ('COMPILE-TIME', 'AUTO')"
        )
    else:
        statement = (
            "SELECT variable_name AS name FROM performance_schema.variables_info"
            " WHERE variable_source <> 'COMPILED'"
        )
    return {row["name"] for row in server.rows(statement)}


def same(one: str, other: str, kind: str) -> bool:
    """Whether two spellings are of one value; sets come in any order."""
    return bool(_plain(one, kind) == _plain(other, kind))


def _plain(value: str, kind: str) -> Any:
    text = value.strip().lower()
    if kind in ("integer", "float"):
        # The largest integers are more than a float can tell apart.
        return int(text or 0) if text.lstrip("-").isdigit() else float(text or 0)
    text = SWITCH.get(text, text)
    return sorted(text.split(","))


def apply(server: Server, changes: dict[str, Change]) -> tuple[dict[str, Change], list[str]]:
    """Set what can be set; returns what took another value, and the names that need a restart.

    Raises:
        ProblemError: the server refused a value; those set before are back.
    """
    pending = [name for name, change in changes.items() if change.rule["restart_required"]]
    dynamic = {name: change for name, change in changes.items() if name not in pending}
    if server.check:
        return dynamic, pending
    # Twice: one variable may limit another that comes before it.
    for _ in range(2):
        pending += _set_all(server, {n: c for n, c in dynamic.items() if n not in pending})
    now = {row["variable_name"]: row["value"] for row in server.rows("SHOW GLOBAL VARIABLES")}
    applied = {
        name: change._replace(after=now[name])
        for name, change in dynamic.items()
        if name not in pending and not same(now[name], change.before, change.rule["type"])
    }
    return applied, pending


def _set_all(server: Server, changes: dict[str, Change]) -> list[str]:
    """Names that the server says it cannot set while it runs."""
    pending, done = [], []
    for name, change in changes.items():
        try:
            _set(server, name, change.after, change.rule["type"])
            done.append(name)
        except ProblemError as problem:
            if problem.number != READ_ONLY:
                for earlier in done:
                    _set(server, earlier, changes[earlier].before, changes[earlier].rule["type"])
                raise
            pending.append(name)
    return pending


def _set(server: Server, name: str, value: str, kind: str) -> None:
    literal = value or "0"
    if kind == "boolean":
        literal = "ON" if _plain(value, kind) == ["on"] else "OFF"
    elif kind == "string":
        literal = server.text(value)
    server.change(name, f"SET GLOBAL {name} = {literal}")


def lines(changes: dict[str, Change], side: str) -> str:
    """One side of the changes, for a diff."""
    return "".join(f"{name} = {getattr(changes[name], side)}\n" for name in sorted(changes))
