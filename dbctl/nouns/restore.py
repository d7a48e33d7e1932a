"""`dbctl restore`: a new instance that begins with a backup."""

from __future__ import annotations

from typing import Any

from dbctl.arguments import Subparsers, add_verb, add_waiting, gigabytes
from dbctl.context import Context
from dbctl.errors import BadUsage, NotFound

EPILOG = """\
The new instance has the databases, users and passwords that the backup holds. Flavor and volume
are those of the instance that the backup is of, unless they are given or it is gone.

example:
  dbctl restore nightly db2
"""


def add(nouns: Subparsers) -> None:
    """The arguments."""
    parser = add_verb(nouns, "restore", restore, "Make a new instance of a backup.", EPILOG)
    parser.add_argument("backup", metavar="BACKUP", help="name, id, or the id's first characters")
    parser.add_argument("name", metavar="NAME", help="a name for the new instance")
    parser.add_argument("--flavor", metavar="F", help="see: dbctl flavor list")
    parser.add_argument("--volume", type=gigabytes, metavar="GB", help="size of the data volume")
    add_waiting(parser)


def restore(context: Context) -> None:
    """Create, wait, print how to connect."""
    from dbctl import resolve
    from dbctl.nouns.create import Created, see_through, tell

    backup = resolve.backup(context.api, context.args.backup)
    reply = context.api.post("/instances", {"instance": wish(context, backup)})
    created = Created(reply.document["instance"], reply.operation_id, None, False)
    try:
        see_through(context, context.args, created)
    finally:
        tell(context, created)


def wish(context: Context, backup: dict[str, Any]) -> dict[str, Any]:
    """Trove's request."""
    args = context.args
    source = {} if args.flavor and args.volume else source_of(context, backup)
    return {
        "name": args.name,
        "flavorRef": args.flavor or source["flavor"]["id"],
        "volume": {"size": args.volume or source["volume"]["size"]},
        "restorePoint": {"backupRef": backup["id"]},
    }


def source_of(context: Context, backup: dict[str, Any]) -> dict[str, Any]:
    """The instance that the backup is of; BadUsage when it is gone."""
    try:
        path = f"/instances/{backup['instance_id']}"
        row: dict[str, Any] = context.api.get(path)["instance"]
    except NotFound:
        raise BadUsage(
            "the instance of this backup is gone", "Say --flavor F and --volume GB."
        ) from None
    return row
