"""What modules have in common that make databases, users and grants, whatever the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from ansible.module_utils.basic import AnsibleModule

Row = dict[str, Any]

STATE = {"type": "str", "choices": ["present", "absent"], "default": "present"}
NAME = {"type": "str", "required": True}
SECRET = {"type": "str", "no_log": False}  # the task is no_log; a short one would blank the answer
GRANTS = {
    "type": "list",
    "elements": "dict",
    "options": {"name": NAME, "access": {"type": "str"}},
}
DATABASE = {
    "name": NAME,
    "character_set": {"type": "str"},
    "collate": {"type": "str"},
    "state": STATE,
}
USER = {
    "name": NAME,
    "password": SECRET,
    "host": {"type": "str", "default": "%"},
    "databases": GRANTS,
    "grant": GRANTS,
    "revoke": GRANTS,
    "new_name": {"type": "str"},
    "new_host": {"type": "str"},
    "state": STATE,
}
ROOT = {"state": STATE, "password": SECRET}
SPECIFICATION = {
    "databases": {"type": "list", "elements": "dict", "options": DATABASE, "default": []},
    "users": {"type": "list", "elements": "dict", "options": USER, "default": []},
    "root": {"type": "dict", "options": ROOT},
    "reserved": {"type": "dict", "default": {}},
    "access": {"type": "dict", "required": True},
    "default_access": {"type": "str", "required": True},
}


class ProblemError(Exception):
    """Something that was asked for cannot be; the message names it, `number` the engine's error."""

    number = 0


class Rules:
    """What the engine's catalogue says: names to keep away from, and kinds of access."""

    def __init__(self, params: Row) -> None:
        self.reserved: dict[str, list[str]] = {"databases": [], "users": [], **params["reserved"]}
        self.access: dict[str, list[str]] = params["access"]
        self.default: str = params["default_access"]

    def asked(self, grants: list[Row] | None) -> dict[str, list[str]]:
        """What is asked for in each database, by the engine's own words."""
        found = {}
        for grant in grants or []:
            kind = grant.get("access") or self.default
            if kind not in self.access:
                raise ProblemError(f"access {kind} is not one of {', '.join(self.access)}")
            found[grant["name"]] = self.access[kind]
        return found

    def shown(self, database: str, held: set[str]) -> Row:
        """A grant as lists show it: without the kind of access where that is the default."""
        kinds = [kind for kind, words in self.access.items() if set(words) == held]
        kind = kinds[0] if kinds else "custom"
        return {"name": database, **({} if kind == self.default else {"access": kind})}

    def check(self, params: Row) -> None:
        """Keep away from the names that the engine and the service live by.

        Raises:
            ProblemError: one of them was asked for.
        """
        for kind in ("databases", "users"):
            for item in params[kind]:
                if item["name"].lower() in self.reserved[kind]:
                    raise ProblemError(f"{kind}: {item['name']} is reserved")
        for user in params["users"]:
            if (user["new_name"] or "").lower() in self.reserved["users"]:
                raise ProblemError(f"users: {user['new_name']} is reserved")
            for name in names(user["databases"]) | names(user["grant"]):
                if name.lower() in self.reserved["databases"]:
                    raise ProblemError(f"user {user['name']}: database {name} is reserved")


class Server(Protocol):
    """An engine's server, as the module talks to it."""

    @property
    def changed(self) -> bool:
        """Whether anything was changed, or would be in check mode."""


ServerT = TypeVar("ServerT", bound=Server)


@dataclass(frozen=True)
class Engine(Generic[ServerT]):
    """What the modules of engines do differently. Each function may raise ProblemError."""

    connect: Callable[[AnsibleModule], ServerT]
    make_databases: Callable[[ServerT, list[Row]], None]
    """Create, alter or drop databases."""
    make_users: Callable[[ServerT, Rules, list[Row]], None]
    """Create, alter, rename or drop users and their grants."""
    make_root: Callable[[ServerT, Row], None]
    """Create, alter or drop the superuser."""
    lists: Callable[[ServerT, Rules], Row]
    """`databases` and `users` as there are now, as the agent would report them."""


def names(things: list[Row] | None) -> set[str]:
    """The names of databases or grants."""
    return {thing["name"] for thing in things or []}


def run(specification: Row, engine: Engine[ServerT]) -> None:
    """Do what the parameters say; a problem is told, not raised, so that it can be shown."""
    module = AnsibleModule({**specification, **SPECIFICATION}, supports_check_mode=True)
    rules = Rules(module.params)
    try:
        rules.check(module.params)
        server = engine.connect(module)
    except ProblemError as error:
        module.exit_json(changed=False, problem=str(error))
    try:
        engine.make_databases(server, module.params["databases"])
        engine.make_users(server, rules, module.params["users"])
        if module.params["root"]:
            engine.make_root(server, module.params["root"])
        facts = engine.lists(server, rules)
    except ProblemError as error:
        module.exit_json(changed=server.changed, problem=str(error))
    module.exit_json(changed=server.changed, problem="", **facts)
