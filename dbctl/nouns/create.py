"""`dbctl instance create`: from nothing to a connection string."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from typing import Any

from dbctl import output
from dbctl.arguments import Subparsers, add_password_file, add_verb, add_waiting, gigabytes
from dbctl.context import Context
from dbctl.errors import BadUsage, DbctlError

EPILOG = """\
With --user but no --database, a database of the user's name is made. The password is
generated unless one is given. It goes to stdout, once: inside the connection string when the
instance is ready, on lines of its own when waiting ends earlier.

A replica has engine, version, flavor, volume, databases and users of its source: only NAME and
--replica-of are given, and perhaps --count.

examples:
  dbctl instance create mysql db1 --flavor small --volume 1 --user app
  URL=$(dbctl instance create mysql db1 --flavor small --volume 1 --user app)
  pass show db1 | dbctl instance create mysql db1 --flavor small --volume 1 \\
      --user app --password-file -
  dbctl instance create db1-copy --replica-of db1
"""


def add(verbs: Subparsers) -> None:
    """The arguments of `create`."""
    parser = add_verb(verbs, "create", create, "Create a database instance.", EPILOG)
    parser.add_argument(
        "engine", metavar="ENGINE", nargs="?", help="datastore (see: dbctl datastore list)"
    )
    parser.add_argument("name", metavar="NAME", help="a name for the instance")
    parser.add_argument("--flavor", metavar="F", help="see: dbctl flavor list")
    parser.add_argument("--volume", type=gigabytes, metavar="GB", help="size of the data volume")
    parser.add_argument("--replica-of", metavar="I", help="a replica of this instance")
    parser.add_argument(
        "--count", type=int, choices=(1, 2, 3), help="so many replicas, NAME-1 and so on"
    )
    parser.add_argument("--version", metavar="V", help="datastore version (default: its default)")
    parser.add_argument(
        "--database", action="append", default=[], metavar="D", help="make it (may be repeated)"
    )
    parser.add_argument("--backup", metavar="B", help="begin with this backup's data")
    parser.add_argument("--configuration", metavar="G", help="with this configuration group")
    parser.add_argument("--user", metavar="U", help="make a user who owns the databases")
    source = parser.add_mutually_exclusive_group()
    add_password_file(source, "the user's password: only line of FILE, first line of stdin for -")
    source.add_argument("--password-prompt", action="store_true", help="ask for the password")
    add_waiting(parser)


@dataclass
class Created:
    """What is known so far; printed once, at the end, however that comes about."""

    instance: dict[str, Any]
    operation_id: str | None
    user: dict[str, Any] | None
    generated: bool
    operation: dict[str, Any] = field(default_factory=dict)
    connection: dict[str, Any] | None = None
    ca: str = ""


def create(context: Context) -> None:
    """Create, wait, print how to connect."""
    from dbctl import resolve

    check(context.args)
    user, generated = make_user(context, context.args)
    databases = context.args.database or ([context.args.user] if context.args.user else [])
    wanted = body(context.args, user, databases)
    if context.args.replica_of:
        wanted = {"instance": replica_wish(context)}
    if context.args.backup:
        found = resolve.backup(context.api, context.args.backup)
        wanted["instance"]["restorePoint"] = {"backupRef": found["id"]}
    if context.args.configuration:
        group = resolve.configuration(context.api, context.args.configuration)
        wanted["instance"]["configuration"] = group["id"]
    reply = context.api.post("/instances", wanted)
    created = Created(reply.document["instance"], reply.operation_id, user, generated)
    try:
        see_through(context, context.args, created)
    finally:
        # Also when it failed or waiting was cut short: a retry makes this very user.
        tell(context, created)


def check(args: argparse.Namespace) -> None:
    """Whether the arguments go together."""
    own = ("engine", "flavor", "volume", "version", "database", "backup", "user")
    if args.replica_of and any(getattr(args, name) for name in own):
        raise BadUsage("a replica has all of its source: give NAME and --replica-of alone")
    if args.replica_of:
        return
    if args.count:
        raise BadUsage("--count goes with --replica-of")
    if missing := [name for name in ("engine", "flavor", "volume") if not getattr(args, name)]:
        raise BadUsage(f"missing: {', '.join(missing)}", "See: dbctl instance create --help")


def replica_wish(context: Context) -> dict[str, Any]:
    """Trove's request for replicas."""
    from dbctl import resolve

    args = context.args
    source = resolve.instance(context.api, args.replica_of)
    count = {"replica_count": args.count} if args.count else {}
    return {"name": args.name, "replica_of": source["id"], **count}


def make_user(context: Context, args: argparse.Namespace) -> tuple[dict[str, Any] | None, bool]:
    """The user to make, if any, and whether we made up the password."""
    from dbctl import password

    if args.user is None:
        if args.password_file is not None or args.password_prompt:
            raise BadUsage("a password needs a --user")
        return None, False
    given = password.given(args, context.warn)
    databases = args.database or [args.user]
    return {
        "name": args.user,
        "password": given or password.generate(),
        "databases": [{"name": name} for name in databases],
    }, given is None


def body(
    args: argparse.Namespace, user: dict[str, Any] | None, databases: list[str]
) -> dict[str, Any]:
    """Trove's request."""
    datastore = {"type": args.engine} | ({"version": args.version} if args.version else {})
    wanted: dict[str, Any] = {
        "name": args.name,
        "flavorRef": args.flavor,
        "volume": {"size": args.volume},
        "datastore": datastore,
    }
    if databases:
        wanted["databases"] = [{"name": name} for name in databases]
    if user:
        wanted["users"] = [user]
    return {"instance": wanted}


def see_through(context: Context, args: argparse.Namespace, created: Created) -> None:
    """Wait unless told not to; on success `created` gains the instance and the connection."""
    from dbctl.connection import ca_file
    from dbctl.follow import failure, ways

    if created.operation_id is None:
        raise DbctlError("the server did not name the operation; it may not be a Coffer server")
    if not args.wait:
        path = f"/operations/{created.operation_id}"
        created.operation = context.api.get(path)["operation"]
        context.say(f"{args.name} is being made: {created.instance['id']}")
        for line in ways(created.operation_id):
            context.say(line)
        return
    created.operation = context.follow(created.operation_id)
    if created.operation["state"] != "succeeded":
        raise failure(created.operation)
    path = f"/instances/{created.instance['id']}"
    created.instance = context.api.get(path)["instance"]
    connection = context.api.get(f"{path}/connection")["connection"]
    created.ca = str(ca_file(context.api)) if "{ca}" in connection["uri"] else ""
    created.connection = connection
    context.say(f"{args.name} is ready. Open it:  dbctl connect {args.name}")


def tell(context: Context, created: Created) -> None:
    """The result on stdout: a document, a connection string, or at least a password made up."""
    uri = connection_string(created)
    if context.json:
        output.print_json(document(created, uri), context.out)
    elif uri:
        context.out.write(uri + "\n")
    elif created.user and created.generated:
        pairs = [("user", created.user["name"]), ("password", created.user["password"])]
        output.print_card(pairs, context.out)


def connection_string(created: Created) -> str | None:
    """The URI, password included; None while there is nothing to connect to."""
    from dbctl.connection import Login, fill_uri

    if created.connection is None:
        return None
    login = Login()
    if created.user:
        database = created.user["databases"][0]["name"]
        login = Login(created.user["name"], created.user["password"], database)
    return fill_uri(created.connection, login, created.ca)


def document(created: Created, uri: str | None) -> dict[str, Any]:
    """Everything, for programs; `operation` may be only an id when waiting was cut short."""
    whole: dict[str, Any] = {
        "instance": created.instance,
        "operation": created.operation or {"id": created.operation_id},
    }
    if created.user:
        whole["user"] = created.user
    if created.connection:
        whole["connection"] = created.connection | {"uri": uri}
    return whole
