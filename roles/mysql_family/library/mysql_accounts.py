#!/usr/bin/python
"""Makes the databases, users and grants of a MySQL or MariaDB what they should be."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.coffer_mysql.dialect import MySQL, dialect_of, identifier
from ansible.module_utils.coffer_mysql.server import ProblemError, Server, connect
from ansible_collections.community.mysql.plugins.module_utils.mysql import (
    mysql_common_argument_spec,
)

DOCUMENTATION = r"""
module: mysql_accounts
short_description: Databases, users and grants of a MySQL or MariaDB
description:
  - Creates what is missing, mends what differs and removes what shall be absent, all in one round
    to the guest. community.mysql brings the connection and the hash of passwords.
  - Any text is taken as it is, as a name and as a password. M(community.mysql.mysql_db) takes
    names apart at dots and commas, and O(community.mysql.mysql_user#module:priv) at slashes, and
    quotes no backticks in them; here names come from people who are not trusted.
  - A user has all privileges on the databases given and on no others. Without O(users[].databases)
    the grants stay as they are, and without O(users[].password) the password does.
  - Passwords are neither logged nor returned. Hide the task with C(no_log), and show C(problem).
options:
  databases:
    description: Databases by name. A character set or collation that is not given is left alone.
    type: list
    elements: dict
    default: []
  users:
    description:
      - Users by name and host. C(databases) are all that a user may use; C(grant) and C(revoke)
        only add and take away. C(new_name) and C(new_host) rename a user, whose grants move along.
    type: list
    elements: dict
    default: []
  root:
    description:
      - The superuser that may come from everywhere, C(state) and C(password). It bears a mark by
        which the rest of the role tells it from one that somebody left open.
    type: dict
  reserved:
    description: Names, lower case, that may not be touched and that the answer leaves out.
    type: dict
author: Coffer
"""

RETURN = r"""
databases:
  description: All databases there are afterwards, as V({"name"}).
  type: list
  returned: success
users:
  description: All users there are afterwards, as V({"name", "host", "databases"}).
  type: list
  returned: success
problem:
  description: Why the work stopped, in words without a secret; empty when it did not.
  type: str
  returned: always
"""

STATE = {"type": "str", "choices": ["present", "absent"], "default": "present"}
NAMES = {"type": "list", "elements": "dict", "options": {"name": {"type": "str"}}}
DATABASE = {
    "name": {"type": "str", "required": True},
    "character_set": {"type": "str"},
    "collate": {"type": "str"},
    "state": STATE,
}
USER = {
    "name": {"type": "str", "required": True},
    "password": {"type": "str", "no_log": False},
    "host": {"type": "str", "default": "%"},
    "databases": NAMES,
    "grant": NAMES,
    "revoke": NAMES,
    "new_name": {"type": "str"},
    "new_host": {"type": "str"},
    "state": STATE,
}
ROOT = {"state": STATE, "password": {"type": "str", "no_log": False}}


def make_databases(server: Server, wanted: list[dict[str, Any]]) -> None:
    """Create, alter or drop databases."""
    rows = server.rows(
        "SELECT schema_name, default_character_set_name, default_collation_name"
        " FROM information_schema.schemata"
    )
    present = {row["schema_name"]: row for row in rows}
    for database in wanted:
        _make_database(server, database, present.get(database["name"]))


def _make_database(
    server: Server, database: dict[str, Any], present: dict[str, Any] | None
) -> None:
    what, name = f"database {database['name']}", identifier(database["name"])
    if database["state"] == "absent":
        if present:
            server.change(what, f"DROP DATABASE {name}")
        return
    options = ""
    if database["character_set"]:
        options += f" CHARACTER SET {server.text(database['character_set'])}"
    if database["collate"]:
        options += f" COLLATE {server.text(database['collate'])}"
    if not present:
        server.change(what, f"CREATE DATABASE {name}{options}")
    elif database["character_set"] not in {None, present["default_character_set_name"]} or database[
        "collate"
    ] not in {None, present["default_collation_name"]}:
        server.change(what, f"ALTER DATABASE {name}{options}")


def make_users(server: Server, wanted: list[dict[str, Any]]) -> None:
    """Create, alter, rename or drop users and their grants."""
    dialect = dialect_of(server)
    present = _accounts(server, dialect)
    for user in wanted:
        key = (user["name"], user["host"].lower())
        what, row = f"user {key[0]}@{key[1]}", present.get(key)
        if user["state"] == "absent":
            if row:
                server.change(what, f"DROP USER {_account(server, key)}")
            continue
        target = (user["new_name"] or key[0], (user["new_host"] or key[1]).lower())
        if row and target != key:
            change = f"{_account(server, key)} TO {_account(server, target)}"
            server.change(what, f"RENAME USER {change}")
        row = row or present.get(target)
        _make_user(server, dialect, what, target, user["password"], row)
        _grant(server, dialect, what, user, key if server.check else target)


def make_root(server: Server, wanted: dict[str, Any]) -> None:
    """Create, alter or drop the superuser."""
    key, dialect = ("root", "%"), dialect_of(server)
    account, row = _account(server, key), _accounts(server, dialect).get(key)
    if wanted["state"] == "absent":
        if row:
            server.change("root", f"DROP USER {account}")
        return
    _make_user(server, dialect, "root", key, wanted["password"], row)
    rows = server.rows("SELECT super_priv, grant_priv FROM mysql.user WHERE (user, host) = %s", key)
    if not rows or set(rows[0].values()) != {"Y"}:
        server.change("root", dialect.mark_root())
        server.change("root", f"GRANT ALL ON *.* TO {account} WITH GRANT OPTION")


def _accounts(server: Server, dialect: MySQL) -> dict[tuple[str, str], dict[str, Any]]:
    rows = server.rows(dialect.accounts)
    return {(row["user"], row["host"]): row for row in rows}


def _account(server: Server, key: tuple[str, str]) -> str:
    return "@".join(server.text(part) for part in key)


def _make_user(
    server: Server,
    dialect: MySQL,
    what: str,
    key: tuple[str, str],
    password: str | None,
    row: dict[str, Any] | None,
) -> None:
    if password is None:
        if not row:
            raise ProblemError(f"{what}: a new user needs a password")
        return
    statement = f"{_account(server, key)} {dialect.identified(password)}"
    if not row:
        server.change(what, f"CREATE USER {statement}")
    elif not dialect.has_password(row, password):
        server.change(what, f"ALTER USER {statement}")


def _grant(
    server: Server, dialect: MySQL, what: str, user: dict[str, Any], key: tuple[str, str]
) -> None:
    """Give and take what the lists say; without a list of all, others stay as they are."""
    account, asked = _account(server, key), _names(user["databases"]) | _names(user["grant"])
    rows = server.rows("SELECT * FROM mysql.db WHERE (user, host) = %s", key)
    whole = {dialect.database(row["db"]) for row in rows if _all_granted(row)}
    for row in rows:
        name = dialect.database(row["db"])
        extra = user["databases"] is not None and name not in asked
        if extra or name in _names(user["revoke"]):
            _revoke(server, what, account, row)
    for name in sorted(asked - whole):
        place = identifier(dialect.granted(name))
        server.change(what, f"GRANT ALL ON {place}.* TO {account}")


def _names(things: list[dict[str, Any]] | None) -> set[str]:
    return {thing["name"] for thing in things or []}


def _revoke(server: Server, what: str, account: str, row: dict[str, Any]) -> None:
    place = f"ON {identifier(row['db'])}.* FROM {account}"
    server.change(what, f"REVOKE ALL {place}")
    if row["grant_priv"] == "Y":
        server.change(what, f"REVOKE GRANT OPTION {place}")


def _all_granted(row: dict[str, Any]) -> bool:
    privileges = {name for name in row if name.endswith("_priv")} - {"grant_priv"}
    return all(row[name] == "Y" for name in privileges)


def refuse_reserved(params: dict[str, Any], reserved: dict[str, list[str]]) -> None:
    """Keep away from the names that the engine and the service live by."""
    for kind in ("databases", "users"):
        for item in params[kind]:
            if item["name"].lower() in reserved.get(kind, []):
                raise ProblemError(f"{kind}: {item['name']} is reserved")
    for user in params["users"]:
        if (user["new_name"] or "").lower() in reserved.get("users", []):
            raise ProblemError(f"users: {user['new_name']} is reserved")
        for name in _names(user["databases"]) | _names(user["grant"]):
            if name.lower() in reserved.get("databases", []):
                raise ProblemError(f"user {user['name']}: database {name} is reserved")


def lists(server: Server, reserved: dict[str, list[str]]) -> dict[str, Any]:
    """The databases and users that there are now, as the agent would report them."""
    names = sorted(
        row["name"]
        for row in server.rows("SELECT schema_name AS name FROM information_schema.schemata")
    )
    dialect = dialect_of(server)
    grants: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in server.rows("SELECT user, host, db FROM mysql.db ORDER BY db"):
        grants.setdefault((row["user"], row["host"]), []).append(
            {"name": dialect.database(row["db"])}
        )
    users = [
        {
            "name": row["user"],
            "host": row["host"],
            "databases": grants.get((row["user"], row["host"]), []),
        }
        for row in server.rows(f"{dialect.accounts} ORDER BY user, host")
        if row["user"] not in reserved.get("users", [])
    ]
    databases = [{"name": name} for name in names if name not in reserved.get("databases", [])]
    return {"databases": databases, "users": users}


def main() -> None:
    """Do what the parameters say; a problem is told, not raised, so that it can be shown."""
    module = AnsibleModule(
        argument_spec={
            **mysql_common_argument_spec(),
            "databases": {"type": "list", "elements": "dict", "options": DATABASE, "default": []},
            "users": {"type": "list", "elements": "dict", "options": USER, "default": []},
            "root": {"type": "dict", "options": ROOT},
            "reserved": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    reserved = module.params["reserved"]
    try:
        server = connect(module)
    except ProblemError as error:
        module.exit_json(changed=False, problem=str(error))
    try:
        refuse_reserved(module.params, reserved)
        make_databases(server, module.params["databases"])
        make_users(server, module.params["users"])
        if module.params["root"]:
            make_root(server, module.params["root"])
        facts = lists(server, reserved)
    except ProblemError as error:
        module.exit_json(changed=server.changed, problem=str(error))
    module.exit_json(changed=server.changed, problem="", **facts)


if __name__ == "__main__":
    main()
