"""A connection to the server of this guest as its superuser, through the socket."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.coffer_accounts import ProblemError
from ansible_collections.community.mysql.plugins.module_utils.mysql import (
    mysql_connect,
    mysql_driver,
    mysql_driver_fail_msg,
)

SYNTAX_ERROR = 1064
UNREACHABLE = (2002, 2003)
"""Nobody listens at the socket."""


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
        """Say a statement; `what` names its object for the message if it is refused.

        Raises:
            ProblemError: the server refused it.
        """
        self.changed = True
        if self.check:
            return
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(statement)
        except mysql_driver.MySQLError as error:
            # The text of an error may quote the statement, and with it a password.
            reason = error.args[1] if error.args[0] != SYNTAX_ERROR else "syntax"
            problem = ProblemError(f"{what}: error {error.args[0]}: {reason}")
            problem.number = error.args[0]
            raise problem from None

    @cached_property
    def is_mariadb(self) -> bool:
        """Whether this is MariaDB, which went its own way in many a system table."""
        return "MariaDB" in str(self.rows("SELECT VERSION() AS version")[0]["version"])

    def text(self, value: str) -> str:
        """The value as a literal of SQL."""
        return str(self._connection.literal(value))


def connect(module: AnsibleModule) -> Server:
    """The running server.

    Raises:
        ProblemError: it cannot be reached.
    """
    if mysql_driver is None:
        module.fail_json(msg=mysql_driver_fail_msg, problem=mysql_driver_fail_msg)
    try:
        _, connection = mysql_connect(module, "root", autocommit=True)
    except mysql_driver.MySQLError as error:
        problem = ProblemError(f"the server cannot be reached: error {error.args[0]}")
        problem.number = error.args[0]
        raise problem from None
    return Server(connection, module.check_mode)
