"""`dbctl password …`: passwords of users."""

from __future__ import annotations

from dbctl.arguments import Subparsers, add_noun
from dbctl.nouns.instance import add_changing
from dbctl.nouns.user import add_password, rotate


def add(nouns: Subparsers) -> None:
    """The verbs."""
    verbs = add_noun(nouns, "password", "Passwords of an instance's users.")
    text = "Give a user a new password; shown once if it is not given."
    parser = add_changing(verbs, "rotate", rotate, text)
    parser.add_argument("user", metavar="USER", help="NAME or NAME@HOST")
    add_password(parser)
