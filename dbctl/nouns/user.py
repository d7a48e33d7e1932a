"""`dbctl user …`: who may use an instance's databases."""

from __future__ import annotations

import argparse
from typing import Any

from dbctl import output
from dbctl.arguments import Subparsers, add_noun, add_password_file, add_verb, add_yes
from dbctl.context import Context
from dbctl.nouns.instance import add_changing, add_target, find
from dbctl.output import Columns

Row = dict[str, Any]
COLUMNS: Columns = (
    ("NAME", lambda row: row["name"]),
    ("HOST", lambda row: row["host"]),
    ("DATABASES", lambda row: ", ".join(granted(item) for item in row["databases"])),
)
PRESETS = {
    "read-only": "read, change nothing",
    "app": "read and write data, as an application does",
    "admin": "everything inside the database (default)",
}


def add(nouns: Subparsers) -> None:
    """The verbs."""
    verbs = add_noun(nouns, "user", "Users of an instance's engine.")
    add_target(add_verb(verbs, "list", list_, "List the users, as the guest last reported."))
    show_parser = add_verb(verbs, "show", show, "Show one user.")
    add_target(show_parser)
    create_parser = add_changing(verbs, "create", create, "Create a user.")
    create_parser.add_argument("--host", default="%", metavar="H", help="from where (default: %%)")
    create_parser.add_argument(
        "--database", action="append", default=[], metavar="D", help="may use it (repeatable)"
    )
    delete_parser = add_changing(verbs, "delete", delete, "Delete users.")
    add_yes(delete_parser)
    rotate_parser = add_changing(verbs, "rotate", rotate, "The same as `password rotate`.")
    grant_parser = add_changing(verbs, "grant", grant, "Let a user use a database.")
    revoke_parser = add_changing(verbs, "revoke", revoke, "Take a database from a user.")
    for parser in (create_parser, grant_parser):
        add_presets(parser)
    delete_parser.add_argument("users", metavar="USER", nargs="+", help="NAME or NAME@HOST")
    for parser in (show_parser, create_parser, rotate_parser, grant_parser, revoke_parser):
        parser.add_argument("user", metavar="USER", help="NAME or NAME@HOST")
    for parser in (grant_parser, revoke_parser):
        parser.add_argument("database", metavar="DATABASE")
    for parser in (create_parser, rotate_parser):
        add_password(parser)


def add_password(parser: argparse.ArgumentParser) -> None:
    """Where a password comes from, if it is not to be made up."""
    source = parser.add_mutually_exclusive_group()
    add_password_file(source, "the password: only line of FILE, first line of stdin for -")
    source.add_argument("--password-prompt", action="store_true", help="ask for the password")


def add_presets(parser: argparse.ArgumentParser) -> None:
    """What the user may do in the databases."""
    choice = parser.add_mutually_exclusive_group()
    for name, text in PRESETS.items():
        choice.add_argument(f"--{name}", dest="access", action="store_const", const=name, help=text)


def granted(item: Row) -> str:
    """A database, and what may be done there if that is not everything."""
    return f"{item['name']} ({item['access']})" if "access" in item else str(item["name"])


def grant_of(context: Context, database: str) -> Row:
    """A database with the preset that was chosen."""
    access = context.args.access
    return {"name": database, **({"access": access} if access else {})}


def list_(context: Context) -> None:
    """All users but the engine's and Coffer's own."""
    row = find(context, context.args.instance)
    rows = context.api.pages(f"/instances/{row['id']}/users", "users")
    context.observed("users", rows, COLUMNS)


def show(context: Context) -> None:
    """One user."""
    row = find(context, context.args.instance)
    user = context.api.get(path(row, context.args.user))["user"]
    context.card({"user": user}, [(title.lower(), cell(user)) for title, cell in COLUMNS])


def create(context: Context) -> None:
    """Create one; a password that was made up is shown once, on stdout."""
    row = find(context, context.args.instance)
    secret, generated = choose(context)
    wanted = {
        "name": context.args.user,
        "host": context.args.host,
        "password": secret,
        "databases": [grant_of(context, name) for name in context.args.database],
    }
    reply = context.api.post(f"/instances/{row['id']}/users", {"users": [wanted]})
    see_through(context, reply.operation_id, secret if generated else None)


def rotate(context: Context) -> None:
    """A new password for a user that is there."""
    row = find(context, context.args.instance)
    secret, generated = choose(context)
    reply = context.api.put(path(row, context.args.user), {"user": {"password": secret}})
    see_through(context, reply.operation_id, secret if generated else None)


def choose(context: Context) -> tuple[str, bool]:
    """The password, and whether it was made up here."""
    from dbctl import password

    given = password.given(context.args, context.warn)
    return given or password.generate(), given is None


def see_through(context: Context, operation_id: str | None, secret: str | None) -> None:
    """Finish, and tell a password that nobody else knows, however the waiting ends."""
    shown = {"user": context.args.user, **({"password": secret} if secret else {})}
    try:
        context.finish(operation_id, beside=shown)
    finally:
        if secret and not context.json:
            output.print_card(list(shown.items()), context.out)


def delete(context: Context) -> None:
    """Delete them in one operation, after asking."""
    row, names = find(context, context.args.instance), context.args.users
    context.confirm(f"Delete {', '.join(names)} of {row['name']}?")
    body = {"users": [key_of(name) for name in names]}
    reply = context.api.delete(f"/instances/{row['id']}/users", body)
    gone = "is" if len(names) == 1 else "are"
    context.finish(reply.operation_id, f"{', '.join(names)} {gone} deleted.")


def key_of(user: str) -> Row:
    """`NAME@HOST`, split at the last `@`; without one, a user from everywhere."""
    name, found, host = user.rpartition("@")
    return {"name": name, "host": host} if found and name else {"name": user, "host": "%"}


def grant(context: Context) -> None:
    """One more database."""
    row = find(context, context.args.instance)
    wanted = {"databases": [grant_of(context, context.args.database)]}
    reply = context.api.put(f"{path(row, context.args.user)}/databases", wanted)
    context.finish(reply.operation_id)


def revoke(context: Context) -> None:
    """One database less."""
    from dbctl.client import segment

    row = find(context, context.args.instance)
    place = f"{path(row, context.args.user)}/databases/{segment(context.args.database)}"
    context.finish(context.api.delete(place).operation_id)


def path(instance: Row, user: str) -> str:
    """Where a user lives."""
    from dbctl.client import segment

    return f"/instances/{instance['id']}/users/{segment(user)}"
