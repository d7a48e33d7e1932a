"""Who may call what: one table, `METHOD /path: roles`, read from the routes and overridable.

    python -m api.policy

prints it as YAML; a file with any of its lines, changed, is the setting `policy_file`.
"""

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

Table = Mapping[str, list[str]]
DEFAULTS = {
    "read": ["reader"],
    "write": ["member"],
    "admin": ["admin"],
    "look": ["reader", "patcher"],
    "patch": ["member", "patcher"],
}
"""The roles of which each kind of access needs one. `patcher` sees instances and patches them."""
IMPLIED = {"admin": {"admin", "member", "reader"}, "member": {"member", "reader"}}
"""A role that holds others; any other role is itself alone."""
_METHODS = ("get", "post", "put", "patch", "delete")
_PROJECT = "/v1.0/{project}"


class Policy:
    """The table with the changes of this installation."""

    def __init__(self, changes: Mapping[str, Any] | None = None) -> None:
        """`changes` are lines of the table: a role, or several of which one is enough.

        Raises:
            ValueError: a line names no role.
        """
        self.changes = {line: _roles(line, value) for line, value in (changes or {}).items()}

    def needed(self, method: str, template: str, access: str) -> list[str]:
        """Roles of which one is needed to call a route."""
        return self.changes.get(line_of(method, template), DEFAULTS[access])

    def check(self, table: Table) -> None:
        """See that every change is of a line that there is.

        Raises:
            ValueError: naming the line.
        """
        for line in self.changes:
            if line not in table:
                raise ValueError(f"policy_file: there is no '{line}'; see `python -m api.policy`")


def load_policy(path: str) -> Policy:
    """The table with the changes in a YAML file; without a file as it is.

    Raises:
        ValueError: the file is not such a table.
    """
    if not path:
        return Policy()
    try:
        return Policy(msgspec.yaml.decode(Path(path).read_bytes(), type=dict[str, Any] | None))
    except msgspec.MsgspecError as error:
        raise ValueError(f"policy_file: {path}: {error}") from error


def holds(roles: Iterable[str], needed: Iterable[str]) -> bool:
    """Whether someone with `roles` has one of those needed."""
    have: set[str] = set()
    for role in roles:
        have |= IMPLIED.get(role, {role})
    return bool(have & set(needed))


def line_of(method: str, template: str) -> str:
    """A route's name in the table."""
    return f"{method.upper()} {template.removeprefix(_PROJECT)}"


def table_of(routes: Iterable[tuple[str, Any]]) -> dict[str, list[str]]:
    """The table of an app's routes."""
    return {
        line_of(method, path): DEFAULTS[spec.access]
        for path, resource in routes
        for method in _METHODS
        if (spec := getattr(getattr(resource, f"on_{method}", None), "spec", None))
    }


def _roles(line: str, value: Any) -> list[str]:
    roles = [value] if isinstance(value, str) else value
    if not (isinstance(roles, list) and roles and all(isinstance(role, str) for role in roles)):
        raise ValueError(f"policy_file: '{line}' must name a role or a list of roles")
    return roles


def main() -> None:
    """Print the table."""
    from api.routes import project_routes

    table = table_of(project_routes(_Nothing()))  # type: ignore[arg-type]
    for line in sorted(table, key=lambda line: re.split(r" ", line)[::-1]):
        sys.stdout.write(f"{line}: {', '.join(table[line])}\n")


class _Nothing:
    """Stands for the services: routes are only looked at."""

    def __getattr__(self, name: str) -> None:
        return None


if __name__ == "__main__":
    main()
