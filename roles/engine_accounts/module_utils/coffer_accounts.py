"""What modules have in common that make databases, users and grants, whatever the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

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


class Accounts(Protocol):
    """An engine's databases and users. Each method may raise ProblemError."""

    @property
    def changed(self) -> bool:
        """Whether anything was changed, or would be in check mode."""

    def make_databases(self, wanted: list[Row]) -> None:
        """Create, alter or drop databases."""

    def make_users(self, wanted: list[Row]) -> None:
        """Create, alter, rename or drop users and their grants."""

    def make_root(self, wanted: Row) -> None:
        """Create, alter or drop the superuser."""

    def lists(self) -> Row:
        """`databases` and `users` as there are now, as the agent would report them."""


def names(things: list[Row] | None) -> set[str]:
    """The names of databases or grants."""
    return {thing["name"] for thing in things or []}


def run(specification: Row, connect: Callable[[AnsibleModule, Rules], Accounts]) -> None:
    """Do what the parameters say; a problem is told, not raised, so that it can be shown."""
    module = AnsibleModule({**specification, **SPECIFICATION}, supports_check_mode=True)
    rules = Rules(module.params)
    try:
        rules.check(module.params)
        accounts = connect(module, rules)
    except ProblemError as error:
        module.exit_json(changed=False, problem=str(error))
    try:
        accounts.make_databases(module.params["databases"])
        accounts.make_users(module.params["users"])
        if module.params["root"]:
            accounts.make_root(module.params["root"])
        facts = accounts.lists()
    except ProblemError as error:
        module.exit_json(changed=accounts.changed, problem=str(error))
    module.exit_json(changed=accounts.changed, problem="", **facts)
