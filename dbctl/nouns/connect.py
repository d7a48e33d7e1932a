"""`dbctl connect`: the engine's own client, with address, TLS and user filled in."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
from typing import TYPE_CHECKING, Any, NoReturn

from dbctl import output
from dbctl.arguments import Subparsers, add_password_file, add_verb
from dbctl.context import Context
from dbctl.errors import BadUsage, DbctlError, NotFound, Refused

if TYPE_CHECKING:
    from dbctl.connection import Login

EPILOG = """\
Without --user, the instance's only user is taken. The client asks for the password itself.

examples:
  dbctl connect db1
  dbctl connect db1 --user app --password-file ~/.db1 -- -e 'select 1'
"""
# How client programs take a password from a file: the option, what it replaces, the file.
OPTIONS_FILE = ("--defaults-extra-file=", ("-p", "--password"), '[client]\npassword="{}"\n')
PASSWORD_FILES = {"mysql": OPTIONS_FILE, "mariadb": OPTIONS_FILE}


def add(nouns: Subparsers) -> None:
    """The arguments."""
    text = "Open an instance with its engine's own client."
    parser = add_verb(nouns, "connect", connect, text, EPILOG)
    parser.usage = "dbctl connect INSTANCE [options] [-- CLIENT ARGUMENT ...]"
    parser.add_argument(
        "instance", metavar="INSTANCE", help="name, id or the id's first characters"
    )
    parser.add_argument("--user", metavar="U", help="who to log in as")
    parser.add_argument("--database", metavar="D", help="which database to open")
    add_password_file(parser, "the password: only line of FILE, first line of stdin for -")


def connect(context: Context) -> None:
    """Become the client; with `--json` only say what would be run."""
    from dbctl import password, resolve
    from dbctl.connection import ca_file, fill_arguments

    row = resolve.instance(context.api, context.args.instance)
    secret = password.given(context.args, context.warn)
    document = context.api.get(f"/instances/{row['id']}/connection")["connection"]
    client = choose(document["clients"], secret is not None)
    login = who(context, row, context.args)
    ca = str(ca_file(context.api))
    arguments = fill_arguments(client["arguments"], document, login, ca)
    if context.json:
        command = [client["program"], *arguments, *context.args.client_arguments]
        output.print_json({"connection": document, "command": command}, context.out)
        return
    if secret is not None:
        arguments = hand_over(client["program"], arguments, secret)
    run(client["program"], [*arguments, *context.args.client_arguments])


def choose(clients: list[dict[str, Any]], with_password: bool) -> dict[str, Any]:
    """The first client program that is here and, if needed, reads passwords from a file."""
    here = [client for client in clients if shutil.which(client["program"])]
    if not here:
        names = " or ".join(client["program"] for client in clients)
        raise DbctlError(f"no client program found: {names}", "Install one of them.")
    fitting = [c for c in here if not with_password or c["program"] in PASSWORD_FILES]
    if not fitting:
        program = here[0]["program"]
        raise BadUsage(
            f"{program} has no safe way to take a password from a file",
            f"Leave --password-file out; {program} asks for it.",
        )
    return fitting[0]


def who(context: Context, row: dict[str, Any], args: argparse.Namespace) -> Login:
    """User and database as given, else the only ones that there are."""
    from dbctl.connection import Login

    if args.user and args.database:
        return Login(args.user, database=args.database)
    users = known_users(context, row["id"])
    names = sorted({user["name"] for user in users})
    if not args.user and len(names) != 1:
        listed = ", ".join(output.one_line(name) for name in names)
        hint = f"Users: {listed}" if names else "No user is known to the service."
        raise BadUsage("say which --user to connect as", hint)
    name = args.user or names[0]
    own = {d["name"] for user in users if user["name"] == name for d in user["databases"]}
    return Login(name, database=args.database or (own.pop() if len(own) == 1 else ""))


def known_users(context: Context, instance_id: str) -> list[dict[str, Any]]:
    """The users that the service knows of; none where it cannot say."""
    try:
        return context.api.pages(f"/instances/{instance_id}/users", "users")
    except (NotFound, Refused):
        return []


def hand_over(program: str, arguments: list[str], secret: str) -> list[str]:
    """The arguments with the password in an options file that exists for this process only."""
    option, replaced, template = PASSWORD_FILES[program]
    escaped = secret.replace("\\", "\\\\").replace('"', '\\"')
    handle = private_file(template.format(escaped))
    kept = [argument for argument in arguments if argument not in replaced]
    return [f"{option}/dev/fd/{handle}", *kept]


def private_file(text: str) -> int:
    """A descriptor, inherited by what we exec, of a 0600 file that has no name anywhere."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("dbctl", 0)
        os.fchmod(handle, 0o600)
    else:
        with tempfile.TemporaryFile() as file:
            handle = os.dup(file.fileno())
    os.write(handle, text.encode())
    os.lseek(handle, 0, os.SEEK_SET)
    os.set_inheritable(handle, True)
    return handle


def run(program: str, arguments: list[str]) -> NoReturn:
    """Become the program."""
    sys.stdout.flush()
    sys.stderr.flush()
    # Python ignores it, and what is ignored stays so over exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execvp(program, [program, *arguments])  # noqa: S606
