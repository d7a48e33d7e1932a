#!/usr/bin/python
"""Makes the databases, users and grants of a MySQL or MariaDB what they should be."""

from __future__ import annotations

from ansible.module_utils.coffer_accounts import Engine, ProblemError, Row, Rules, names, run
from ansible.module_utils.coffer_mysql.dialect import MySQL, dialect_of, identifier
from ansible.module_utils.coffer_mysql.server import Server, connect
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
  - A user has the privileges of the kind of access that is asked for on the databases given, and
    none on others. Without O(users[].databases) the grants stay as they are, and without
    O(users[].password) the password does.
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
        only add and take away. A database comes with its C(name) and perhaps its C(access).
        C(new_name) and C(new_host) rename a user, whose grants move along.
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
  access:
    description: Kinds of access by name, each the list of its privileges.
    type: dict
    required: true
  default_access:
    description: The kind that a grant without one means.
    type: str
    required: true
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

# Where GRANT's word for a privilege is another one than that of its column.
COLUMNS = {"create_tmp_table_priv": "CREATE TEMPORARY TABLES"}


def make_databases(server: Server, wanted: list[Row]) -> None:
    """Create, alter or drop databases."""
    rows = server.rows(
        "SELECT schema_name, default_character_set_name, default_collation_name"
        " FROM information_schema.schemata"
    )
    present = {row["schema_name"]: row for row in rows}
    for database in wanted:
        _make_database(server, database, present.get(database["name"]))


def _make_database(server: Server, database: Row, present: Row | None) -> None:
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


def make_users(server: Server, rules: Rules, wanted: list[Row]) -> None:
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
        account = _account(server, target)
        for statement in _grants(server, dialect, rules, user, key if server.check else target):
            server.change(what, statement.format(account))


def make_root(server: Server, wanted: Row) -> None:
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


def _accounts(server: Server, dialect: MySQL) -> dict[tuple[str, str], Row]:
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
    row: Row | None,
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


def _grants(
    server: Server, dialect: MySQL, rules: Rules, user: Row, key: tuple[str, str]
) -> list[str]:
    """Statements, `{}` for the account, that give and take what the lists say.

    Without a list of all, other grants stay as they are.
    """
    asked = {**rules.asked(user["databases"]), **rules.asked(user["grant"])}
    rows = server.rows("SELECT * FROM mysql.db WHERE (user, host) = %s", key)
    held = {dialect.database(row["db"]): row for row in rows}
    gone = set(held) if user["databases"] is not None else names(user["revoke"]) & set(held)
    statements = []
    for name in sorted(gone - set(asked)):
        option = {"GRANT OPTION"} if held[name]["grant_priv"] == "Y" else set()
        statements += _revoke(held[name], {"ALL"} | option)
    for name in sorted(asked):
        row = held.get(name, {})
        has, wanted = privileges(row), set(asked[name])
        if "ALL" not in wanted:
            statements += _revoke(row, has - wanted)
        if wanted - has:
            words, place = ", ".join(sorted(wanted - has)), _place(dialect.granted(name))
            statements.append(f"GRANT {words} ON {place} TO {{}}")
    return statements


def _place(granted: str) -> str:
    """All of a database, in a statement whose braces are for the account."""
    return (identifier(granted) + ".*").replace("{", "{{").replace("}", "}}")


def _revoke(row: Row, words: set[str]) -> list[str]:
    return [f"REVOKE {word} ON {_place(row['db'])} FROM {{}}" for word in sorted(words)]


def privileges(row: Row) -> set[str]:
    """What a row of mysql.db grants, in the words of GRANT; `ALL` for all of it."""
    columns = {name for name in row if name.endswith("_priv")} - {"grant_priv"}
    held = {name for name in columns if row[name] == "Y"}
    if held and held == columns:
        return {"ALL"}
    words = {name: name.removesuffix("_priv").replace("_", " ").upper() for name in held}
    return {COLUMNS.get(name, word) for name, word in words.items()}


def lists(server: Server, rules: Rules) -> Row:
    """The databases and users that there are now, as the agent would report them."""
    found = server.rows("SELECT schema_name AS name FROM information_schema.schemata")
    databases = sorted(row["name"] for row in found)
    dialect = dialect_of(server)
    grants: dict[tuple[str, str], list[Row]] = {}
    for row in server.rows("SELECT * FROM mysql.db ORDER BY db"):
        shown = rules.shown(dialect.database(row["db"]), privileges(row))
        grants.setdefault((row["user"], row["host"]), []).append(shown)
    users = [
        {
            "name": row["user"],
            "host": row["host"],
            "databases": grants.get((row["user"], row["host"]), []),
        }
        for row in server.rows(f"{dialect.accounts} ORDER BY user, host")
        if row["user"] not in rules.reserved["users"]
    ]
    hidden = rules.reserved["databases"]
    return {
        "databases": [{"name": name} for name in databases if name not in hidden],
        "users": users,
    }


if __name__ == "__main__":
    run(mysql_common_argument_spec(), Engine(connect, make_databases, make_users, make_root, lists))
