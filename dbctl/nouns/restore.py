"""`dbctl restore`: a new instance that begins with a backup, or as another one was."""

from __future__ import annotations

import argparse
from typing import Any

from dbctl.arguments import Subparsers, add_verb, add_waiting, add_yes, gigabytes
from dbctl.context import Context
from dbctl.errors import BadUsage, NotFound

EPILOG = """\
The new instance has the databases, users and passwords that the backup holds. Flavor and volume
are those of the instance that the backup is of, unless they are given or it is gone.

With --to the first argument is an instance: the new one is what that was just before the second,
or at the latest time that there is. `dbctl instance show` tells which times there are. With
--in-place the instance itself goes back: it keeps its id and address, what is written until then
goes into a backup first, and the engine is away for as long as it takes.

examples:
  dbctl restore nightly db2
  dbctl restore shop shop-before --to 2026-11-22T10:15:30Z
  dbctl restore shop shop2 --to latest
  dbctl restore shop --to 2026-11-22T10:15:30Z --in-place --yes
"""


def add(nouns: Subparsers) -> None:
    """The arguments."""
    parser = add_verb(nouns, "restore", restore, "Make a new instance of a backup.", EPILOG)
    parser.add_argument(
        "source", metavar="SOURCE", help="a backup, or with --to an instance: name or id"
    )
    parser.add_argument("name", metavar="NAME", nargs="?", help="a name for the new instance")
    parser.add_argument("--flavor", metavar="F", help="see: dbctl flavor list")
    parser.add_argument("--volume", type=gigabytes, metavar="GB", help="size of the data volume")
    parser.add_argument("--to", metavar="TIME", help="ISO 8601 with its zone, or: latest")
    parser.add_argument("--in-place", action="store_true", help="restore the instance itself")
    add_waiting(parser)
    add_yes(parser)


def restore(context: Context) -> None:
    """Create, wait, print how to connect; or have an instance go back."""
    from dbctl import resolve
    from dbctl.nouns.create import Created, see_through, tell

    check(context.args)
    if context.args.in_place:
        go_back(context)
        return
    if context.args.to:
        instance = resolve.instance(context.api, context.args.source)
        wanted = wish(context, instance["id"], {"instance": instance["id"], "to": context.args.to})
    else:
        backup = resolve.backup(context.api, context.args.source)
        wanted = wish(context, backup["instance_id"], {"backupRef": backup["id"]})
    reply = context.api.post("/instances", {"instance": wanted})
    created = Created(reply.document["instance"], reply.operation_id, None, False)
    try:
        see_through(context, context.args, created)
    finally:
        tell(context, created)


def check(args: argparse.Namespace) -> None:
    """Whether the arguments go together."""
    if not args.in_place and args.name is None:
        raise BadUsage("the new instance needs a NAME")
    if not args.in_place:
        return
    if not args.to:
        raise BadUsage("--in-place needs a time", "Say --to TIME, or --to latest.")
    if args.name or args.flavor or args.volume:
        raise BadUsage("--in-place keeps the name, the flavor and the volume of the instance")


def go_back(context: Context) -> None:
    """The same instance, after asking."""
    from dbctl import resolve

    row, to = resolve.instance(context.api, context.args.source), context.args.to
    context.confirm(
        f"Restore {row['name']} ({row['id']}) to {to} and stop its engine meanwhile? "
        "A backup of the present is made first."
    )
    reply = context.api.post(f"/instances/{row['id']}/action", {"restore": {"to": to}})
    done = (
        f"{row['name']} is restored. What was there is a backup:  dbctl backup list {row['name']}\n"
        f"Times from now on need a backup to stand on:  dbctl backup create {row['name']}"
    )
    context.finish(reply.operation_id, done)


def wish(context: Context, instance_id: str, point: dict[str, Any]) -> dict[str, Any]:
    """Trove's request."""
    args = context.args
    source = {} if args.flavor and args.volume else source_of(context, instance_id)
    return {
        "name": args.name,
        "flavorRef": args.flavor or source["flavor"]["id"],
        "volume": {"size": args.volume or source["volume"]["size"]},
        "restorePoint": point,
    }


def source_of(context: Context, instance_id: str) -> dict[str, Any]:
    """The instance that the backup is of; BadUsage when it is gone."""
    try:
        row: dict[str, Any] = context.api.get(f"/instances/{instance_id}")["instance"]
    except NotFound:
        raise BadUsage(
            "the instance of this backup is gone", "Say --flavor F and --volume GB."
        ) from None
    return row
