#!/usr/bin/python
"""Makes the databases, users and grants of a MongoDB what they should be, in one round."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from base64 import b64decode
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.coffer_accounts import Engine, ProblemError, Rules, names, run
from ansible.module_utils.coffer_mongodb import (
    CommandError,
    Connection,
    Document,
    held,
    host_of,
    lists,
)

DOCUMENTATION = r"""
module: mongodb_accounts
short_description: Databases, users and grants of a MongoDB
description:
  - Creates what is missing, mends what differs and removes what shall be absent, all in one round
    to the guest. The modules of community.mongodb take a connection and a task for each user,
    set passwords anew in every run or never, and know no databases.
  - Any text is taken as it is, as a name and as a password; names travel as data, and nothing is
    evaluated. What MongoDB cannot take is refused with a sentence.
  - Users live in the database C(admin). A user has the roles of the kind of access that is asked
    for in the databases given, and none in others. Without O(users[].databases) the grants stay as
    they are, and without O(users[].password) the password does.
  - Passwords are neither logged nor returned. Hide the task with C(no_log), and show C(problem).
options:
  databases:
    description: Databases by name. MongoDB has no character sets; those are left out.
    type: list
    elements: dict
    default: []
  users:
    description:
      - Users by name. C(host) is V(%), an address, a network or a pattern of whole octets such as
        V(10.0.%). C(databases) are all that a user may use; C(grant) and C(revoke) only add and
        take away. A database comes with its C(name) and perhaps its C(access). C(new_host) moves a
        user, C(new_name) renames one and needs a C(password).
    type: list
    elements: dict
    default: []
  root:
    description: The superuser that may come from everywhere, C(state) and C(password).
    type: dict
  reserved:
    description: Names, lower case, that may not be touched and that the answer leaves out.
    type: dict
  access:
    description: Kinds of access by name, each the list of its roles.
    type: dict
    required: true
  default_access:
    description: The kind that a grant without one means.
    type: str
    required: true
  port:
    description: Port of the server.
    type: int
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

MECHANISM = "SCRAM-SHA-256"
# The code of an error in RFC 4013's preparation, which leaves out what is newer than Unicode 3.2.
UNFIT_PASSWORD = 50692
# An empty collection makes a database: MongoDB itself forgets one that holds nothing.
MARKER = "coffer.created"


class Server:
    """Runs commands, and keeps those that change something for check mode."""

    def __init__(self, connection: Any, check: bool) -> None:
        self._connection = connection
        self.check = check
        self.changed = False

    def command(self, database: str, body: Document) -> Document:
        """Ask something.

        Raises:
            ProblemError: there is no answer.
        """
        try:
            reply: Document = self._connection.command(database, body)
        except (CommandError, OSError) as error:
            raise ProblemError(f"MongoDB: {error}") from None
        return reply

    def change(self, what: str, database: str, body: Document) -> None:
        """Change something; `what` names its object for the message if it is refused."""
        self.changed = True
        if self.check:
            return
        try:
            self._connection.command(database, body)
        except CommandError as error:
            reason = str(error)
            if error.code == UNFIT_PASSWORD or (body.get("pwd") and body["pwd"] in reason):
                reason = "the password holds characters that MongoDB does not take"
            raise ProblemError(f"{what}: MongoDB error {error.code}: {reason}") from None
        except OSError as error:
            raise ProblemError(f"{what}: {error}") from None


def make_databases(server: Server, wanted: list[Document]) -> None:
    """Create or drop databases."""
    found = server.command("admin", {"listDatabases": 1, "nameOnly": True})["databases"]
    present = {each["name"] for each in found}
    for database in wanted:
        name = database["name"]
        if database["state"] == "absent":
            if name in present:
                server.change(f"database {name}", name, {"dropDatabase": 1})
        elif name not in present:
            server.change(f"database {name}", _usable(name), {"create": MARKER})


def _usable(name: str) -> str:
    """The name, if MongoDB can take it for a database."""
    if re.search(r'[/\\. "$\0]', name):
        raise ProblemError(f'database {name}: a name cannot hold / \\ . " $ or spaces')
    if not 0 < len(name.encode()) < 64:
        raise ProblemError(f"database {name}: a name has at most 63 bytes")
    return name


def client_source(what: str, host: str) -> list[Document]:
    """What MongoDB calls the restriction to a host; [] for V(%).

    Raises:
        ProblemError: MongoDB has no such restriction.
    """
    if host == "%":
        return []
    octets = re.fullmatch(r"((?:\d{1,3}\.){1,3})%", host)
    if octets:
        parts = octets[1].rstrip(".").split(".")
        host = ".".join(parts + ["0"] * (4 - len(parts))) + f"/{8 * len(parts)}"
    try:
        network = ipaddress.ip_network(host, strict=False)
    except ValueError:
        raise ProblemError(
            f"{what}: MongoDB knows addresses, networks such as 10.0.0.0/8 and %, not {host}"
        ) from None
    return [{"clientSource": [str(network)]}]


def make_users(server: Server, rules: Rules, wanted: list[Document]) -> None:
    """Create, alter, rename or drop users and their grants."""
    for user in wanted:
        for name in names(user["databases"]) | names(user["grant"]):
            _usable(name)
        _make_user(server, rules, user)


def _find(server: Server, name: str) -> Document | None:
    body = {"usersInfo": {"user": name, "db": "admin"}, "showCredentials": True}
    users: list[Document] = server.command("admin", body)["users"]
    return users[0] if users else None


def _make_user(server: Server, rules: Rules, user: Document) -> None:
    what, present = f"user {user['name']}@{user['host']}", _find(server, user["name"])
    target = (user["new_name"] or user["name"], user["new_host"] or user["host"])
    if user["state"] == "absent":
        if present and host_of(present) == user["host"]:
            server.change(what, "admin", {"dropUser": user["name"]})
        return
    old = present
    if target[0] != user["name"]:
        present = _find(server, target[0])
        if old and present:
            raise ProblemError(f"{what}: there is a user {target[0]} already")
    _refuse_second_host(what, old or present, {user["host"], target[1]})
    if user["password"] is None and not present:
        raise ProblemError(_needs_password(what, old))
    roles = roles_of(user, rules, old or present)
    change = _differences(user, target[1], present, roles, what)
    if not present:
        server.change(what, "admin", {"createUser": target[0], **change})
        if old:
            server.change(what, "admin", {"dropUser": user["name"]})
    elif change:
        server.change(what, "admin", {"updateUser": target[0], **change})


def _needs_password(what: str, old: Document | None) -> str:
    if old:
        return f"{what}: MongoDB cannot rename users; give a new password with the new name"
    return f"{what}: a new user needs a password"


def _refuse_second_host(what: str, present: Document | None, hosts: set[str]) -> None:
    if present and host_of(present) not in hosts:
        raise ProblemError(
            f"{what}: the user is there for host {host_of(present)}, and has but one"
        )


def _differences(
    user: Document, host: str, present: Document | None, roles: list[Document], what: str
) -> Document:
    """What to tell createUser or updateUser; empty if all is as it should be."""
    change: Document = {}
    if user["password"] is not None and not (present and has_password(present, user["password"])):
        change |= {"pwd": user["password"], "mechanisms": [MECHANISM]}
    if not present or _plain(roles) != _plain(present["roles"]):
        change["roles"] = roles
    if not present or host_of(present) != host:
        source = client_source(what, host)
        change |= {"customData": {"host": host}, "authenticationRestrictions": source}
    return change


def roles_of(user: Document, rules: Rules, like: Document | None) -> list[Document]:
    """Roles by the lists; without a list of all, others stay as they are.

    `like` is the user under the name that it has or had.
    """
    wanted = held(like) if like and user["databases"] is None else {}
    for name, words in {**rules.asked(user["databases"]), **rules.asked(user["grant"])}.items():
        wanted[name] = set(words)
    for name in names(user["revoke"]):
        wanted.pop(name, None)
    return [{"role": role, "db": name} for name in sorted(wanted) for role in sorted(wanted[name])]


def make_root(server: Server, wanted: Document) -> None:
    """Create, alter or drop the superuser."""
    present, roles = _find(server, "root"), [{"role": "root", "db": "admin"}]
    if wanted["state"] == "absent":
        if present:
            server.change("root", "admin", {"dropUser": "root"})
        return
    if not present and wanted["password"] is None:
        raise ProblemError("root: a new user needs a password")
    change: Document = {}
    if wanted["password"] and not (present and has_password(present, wanted["password"])):
        change |= {"pwd": wanted["password"], "mechanisms": [MECHANISM]}
    if not present or _plain(present["roles"]) != _plain(roles):
        change["roles"] = roles
    if change:
        server.change(
            "root", "admin", {"updateUser" if present else "createUser": "root", **change}
        )


def has_password(user: Document, password: str) -> bool:
    """Whether the stored keys are of this password (RFC 5802 and 7677)."""
    stored = user.get("credentials", {}).get(MECHANISM)
    if not stored:
        return False
    from pymongo.saslprep import saslprep

    try:
        text = str(saslprep(password)).encode()
    except ValueError:
        return False
    salt, rounds = b64decode(stored["salt"]), stored["iterationCount"]
    salted = hashlib.pbkdf2_hmac("sha256", text, salt, rounds)
    key = hmac.digest(salted, b"Client Key", "sha256")
    return hmac.compare_digest(hashlib.sha256(key).digest(), b64decode(stored["storedKey"]))


def _plain(roles: list[Document]) -> set[tuple[str, str]]:
    return {(role["role"], role["db"]) for role in roles}


def connect(module: AnsibleModule) -> Server:
    """The server of this guest."""
    try:
        connection = Connection(module.params["port"], "root")
    except (OSError, CommandError) as error:
        raise ProblemError(f"MongoDB cannot be reached: {error}") from None
    return Server(connection, module.check_mode)


def lists_of(server: Server, rules: Rules) -> Document:
    """What there is now."""
    return lists(server, rules.reserved, rules.shown)


if __name__ == "__main__":
    run(
        {"port": {"type": "int", "required": True}},
        Engine(connect, make_databases, make_users, make_root, lists_of),
    )
