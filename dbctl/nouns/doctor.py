"""`dbctl doctor`: how every part of the installation is, and what mends it."""

from __future__ import annotations

from dbctl.arguments import Subparsers, add_verb
from dbctl.context import Context
from dbctl.errors import DbctlError
from dbctl.output import Columns

COLUMNS: Columns = (
    ("PART", lambda row: row["part"]),
    ("HEALTH", lambda row: row["health"]),
    ("FOUND", lambda row: row["message"]),
    ("REMEDY", lambda row: row["remedy"]),
)


def add(nouns: Subparsers) -> None:
    """No verbs: there is only one."""
    add_verb(nouns, "doctor", doctor, "Look at every part of the installation (administrators).")


def doctor(context: Context) -> None:
    """Each part with its remedy; what is in trouble fails the command.

    Raises:
        DbctlError: a part does not work.
    """
    found = context.api.get("/checkup")["checkup"]
    context.table("checkup", found, COLUMNS)
    ill = [row["part"] for row in found if row["health"] == "trouble"]
    if ill:
        raise DbctlError(f"in trouble: {', '.join(ill)}")
