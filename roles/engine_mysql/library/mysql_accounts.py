#!/usr/bin/python
"""Makes the databases, users and grants of a MySQL what they should be, in one round."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.community.mysql.plugins.module_utils.implementations.mysql.hash import (
    _sha256_digest,
)
from ansible_collections.community.mysql.plugins.module_utils.mysql import (
    mysql_common_argument_spec,
    mysql_connect,
    mysql_driver,
    mysql_driver_fail_msg,
)

DOCUMENTATION = r"""
module: mysql_accounts
short_description: Databases, users and grants of a MySQL
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

PLUGIN = "caching_sha2_password"
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
ROOT_MARK = '{"coffer": "root"}'


class ProblemError(Exception):
    """Something that was asked for cannot be; the message names it."""


def identifier(name: str) -> str:
    """The name as MySQL reads it back unchanged."""
    return "`" + name.replace("`", "``") + "`"


class Server:
    """Says statements, and keeps those that change something for check mode."""

    def __init__(self, connection: Any, check: bool) -> None:
        self._connection = connection
        self.check = check
        self.changed = False

    def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """What a query finds, by column, names in lower case."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            names = [column[0].lower() for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def change(self, what: str, statement: str) -> None:
        """Say a statement; `what` names its object for the message if it is refused."""
        self.changed = True
        if self.check:
            return
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(statement)
        except mysql_driver.MySQLError as error:
            # The text of an error may quote the statement, and with it a password.
            reason = error.args[1] if error.args[0] != 1064 else "syntax"
            raise ProblemError(f"{what}: MySQL error {error.args[0]}: {reason}") from None

    def text(self, value: str) -> str:
        """The value as a literal of SQL."""
        return str(self._connection.literal(value))


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
    present = _accounts(server)
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
        _make_user(server, what, _account(server, target), user["password"], row)
        _grant(server, what, user, key if server.check else target)


def make_root(server: Server, wanted: dict[str, Any]) -> None:
    """Create, alter or drop the superuser."""
    key = ("root", "%")
    account, row = _account(server, key), _accounts(server).get(key)
    if wanted["state"] == "absent":
        if row:
            server.change("root", f"DROP USER {account}")
        return
    _make_user(server, "root", account, wanted["password"], row)
    rows = server.rows("SELECT super_priv, grant_priv FROM mysql.user WHERE (user, host) = %s", key)
    if not rows or set(rows[0].values()) != {"Y"}:
        server.change("root", f"ALTER USER {account} ATTRIBUTE {server.text(ROOT_MARK)}")
        server.change("root", f"GRANT ALL ON *.* TO {account} WITH GRANT OPTION")


def _accounts(server: Server) -> dict[tuple[str, str], dict[str, Any]]:
    rows = server.rows("SELECT user, host, plugin, authentication_string FROM mysql.user")
    return {(row["user"], row["host"]): row for row in rows}


def _account(server: Server, key: tuple[str, str]) -> str:
    return "@".join(server.text(part) for part in key)


def _make_user(
    server: Server, what: str, account: str, password: str | None, row: dict[str, Any] | None
) -> None:
    if password is None:
        if not row:
            raise ProblemError(f"{what}: a new user needs a password")
        return
    statement = f"{account} IDENTIFIED WITH {PLUGIN} BY {server.text(password)}"
    if not row:
        server.change(what, f"CREATE USER {statement}")
    elif not _has_password(row, password):
        server.change(what, f"ALTER USER {statement}")


def _has_password(row: dict[str, Any], password: str) -> bool:
    """Whether the stored hash is of this password.

    `$A$`, thousands of rounds in three hexadecimal digits, `$`, 20 characters of salt, digest.
    The collection's public function knows five thousand rounds only, MySQL 9 takes ten.
    """
    stored = row["authentication_string"]
    if isinstance(stored, bytes):
        stored = stored.decode("latin-1")
    if row["plugin"] != PLUGIN or len(stored) != 70:
        return False
    rounds, salt, digest = int(stored[3:6], 16) * 1000, stored[7:27], stored[27:]
    return bool(_sha256_digest(password, salt, rounds) == digest)


def _grant(server: Server, what: str, user: dict[str, Any], key: tuple[str, str]) -> None:
    """Give and take what the lists say; without a list of all, others stay as they are."""
    account, asked = _account(server, key), _names(user["databases"]) | _names(user["grant"])
    rows = server.rows("SELECT * FROM mysql.db WHERE (user, host) = %s", key)
    whole = {row["db"] for row in rows if _all_granted(row)}
    for row in rows:
        extra = user["databases"] is not None and row["db"] not in asked
        if extra or row["db"] in _names(user["revoke"]):
            _revoke(server, what, account, row)
    for name in sorted(asked - whole):
        server.change(what, f"GRANT ALL ON {identifier(name)}.* TO {account}")


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
    grants: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in server.rows("SELECT user, host, db FROM mysql.db ORDER BY db"):
        grants.setdefault((row["user"], row["host"]), []).append({"name": row["db"]})
    users = [
        {
            "name": row["user"],
            "host": row["host"],
            "databases": grants.get((row["user"], row["host"]), []),
        }
        for row in server.rows("SELECT user, host FROM mysql.user ORDER BY user, host")
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
    if mysql_driver is None:
        module.fail_json(msg=mysql_driver_fail_msg, problem=mysql_driver_fail_msg)
    try:
        _, connection = mysql_connect(module, "root", autocommit=True)
    except mysql_driver.MySQLError as error:
        problem = f"MySQL cannot be reached: error {error.args[0]}"
        module.exit_json(changed=False, problem=problem)
    server, reserved = Server(connection, module.check_mode), module.params["reserved"]
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
