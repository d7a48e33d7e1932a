"""`dbctl instance …` (creating one has a file of its own)."""

from __future__ import annotations

import argparse
from typing import Any

from dbctl.arguments import Subparsers, add_noun, add_verb, add_waiting, add_yes, gigabytes
from dbctl.context import Context
from dbctl.output import Columns, moment

Row = dict[str, Any]


def add(nouns: Subparsers) -> Subparsers:
    """The verbs of an existing instance; the answer takes one more (`create`)."""
    verbs = add_noun(nouns, "instance", "Database instances.")
    add_verb(verbs, "list", list_, "List the project's instances.")
    add_target(add_verb(verbs, "show", show, "Show one instance."))
    delete_parser = add_changing(verbs, "delete", delete, "Delete an instance and its data.")
    add_yes(delete_parser)
    add_changing(verbs, "restart", restart, "Restart the database.")
    upgrade_parser = add_changing(verbs, "upgrade", upgrade, "Go to another datastore version.")
    upgrade_parser.add_argument("version", metavar="VERSION", help="see: dbctl datastore show")
    upgrade_parser.add_argument("--no-backup", action="store_true", help="make none before")
    add_changing(verbs, "promote", promote, "Have a replica and its source change places.")
    add_changing(verbs, "detach", detach, "Make a replica an instance of its own.")
    add_changing(verbs, "eject", eject, "Replace a silent source by one of its replicas.")
    resize_parser = add_changing(verbs, "resize", resize, "Give an instance more room or power.")
    size = resize_parser.add_mutually_exclusive_group(required=True)
    size.add_argument("--flavor", metavar="F", help="the new flavor")
    size.add_argument("--volume", metavar="GB", type=gigabytes, help="the new, larger volume")
    return verbs


def add_changing(verbs: Subparsers, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    """A verb that starts an operation on one instance."""
    parser = add_verb(verbs, name, run, text)
    add_target(parser)
    add_waiting(parser)
    return parser


def add_target(parser: argparse.ArgumentParser) -> None:
    """Which instance."""
    parser.add_argument(
        "instance", metavar="INSTANCE", help="name, id or the id's first characters"
    )


def find(context: Context, wanted: str) -> Row:
    """The instance that was meant."""
    from dbctl import resolve

    return resolve.instance(context.api, wanted)


def list_(context: Context) -> None:
    """All instances of the project, by name."""
    rows = context.api.pages("/instances", "instances")
    proven = PROVEN if any("last_proven_restorable" in row for row in rows) else ()
    roles = ROLE if any(role(row) for row in rows) else ()
    pending = PENDING if any("pending_packages" in row for row in rows) else ()
    columns = (*COLUMNS[:2], *roles, *COLUMNS[2:-1], *pending, *proven, COLUMNS[-1])
    context.table("instances", sorted(rows, key=lambda row: str(row["name"])), columns)


def status(row: Row) -> str:
    """What is going on and, if the database has a word of its own, that."""
    health = row.get("operating_status")
    return f"{row['status']}/{health}" if health and health != row["status"] else row["status"]


def addresses(row: Row) -> str:
    """Where it answers."""
    return row.get("hostname") or ", ".join(row.get("ip") or [])


def datastore(row: Row) -> str:
    """Engine and exact version."""
    store = row["datastore"]
    return f"{store['type']} {store.get('version_number') or store['version']}"


def volume(row: Row) -> str:
    """Size and, when known, how much of it is used."""
    size = row.get("volume")
    if not size:
        return ""
    used = f", {size['used']:.2f} GB used" if "used" in size else ""
    return f"{size['size']} GB{used}"


def role(row: Row) -> str:
    """What it is in its replica set."""
    return "replica" if row.get("replica_of") else "source" if row.get("replicas") else ""


def following(row: Row) -> str | None:
    """Whom a replica follows, and how far behind."""
    source, told = row.get("replica_of"), row.get("replication")
    if not source:
        return None
    if not told:
        return str(source["id"])
    lag = "not following" if told["lag"] is None else f"{told['lag']:g} s behind"
    return f"{source['id']} ({lag})"


def followers(row: Row) -> str:
    """Who follows it."""
    return ", ".join(each["id"] for each in row.get("replicas") or [])


def restorable(row: Row) -> str | None:
    """From when until when it can be brought back."""
    earliest, latest = (row.get(f"{word}_restorable_time") for word in ("earliest", "latest"))
    return f"{earliest} to {latest}" if earliest else None


COLUMNS: Columns = (
    ("NAME", lambda row: row["name"]),
    ("STATUS", status),
    ("DATASTORE", datastore),
    ("FLAVOR", lambda row: row["flavor"]["id"]),
    ("VOLUME", volume),
    ("ADDRESS", addresses),
    ("ID", lambda row: row["id"]),
)
ROLE: Columns = (("ROLE", role),)
"""Where any is of a replica set."""
PROVEN: Columns = (("PROVEN", lambda row: moment(row.get("last_proven_restorable"))),)
"""Where any has a backup that is proven to restore."""
PENDING: Columns = (("UPDATES", lambda row: row.get("pending_packages", "")),)
"""Security updates that a guest lacks, where any tells."""


def show(context: Context) -> None:
    """One instance, with its last fault if it had one."""
    row = context.api.get(f"/instances/{find(context, context.args.instance)['id']}")["instance"]
    fault = row.get("fault") or {}
    pairs = [
        ("name", row["name"]),
        ("id", row["id"]),
        ("status", status(row)),
        ("datastore", datastore(row)),
        ("flavor", row["flavor"]["id"]),
        ("volume", volume(row)),
        ("address", addresses(row)),
        ("replica of", following(row)),
        ("", (row.get("replication") or {}).get("message")),
        ("replicas", followers(row)),
        ("updates", row.get("pending_packages")),
        ("proven", moment(row.get("last_proven_restorable"))),
        ("created", moment(row.get("created"))),
        ("updated", moment(row.get("updated"))),
        ("restorable", restorable(row)),
        ("fault", fault.get("message")),
        ("", fault.get("details")),
    ]
    context.card({"instance": row}, pairs)


def delete(context: Context) -> None:
    """Delete, after asking."""
    row = find(context, context.args.instance)
    context.confirm(f"Delete {row['name']} ({datastore(row)}, {row['id']}) and all its data?")
    path = f"/instances/{row['id']}"
    kept = [each for each in context.api.pages(f"{path}/backups", "backups") if each["size"]]
    reply = context.api.delete(path)
    context.finish(reply.operation_id, f"{row['name']} is deleted.", beside={"backups": kept})
    if kept:
        context.say(f"Its backups remain: {len(kept)}. Delete one:  dbctl backup delete BACKUP")
    for each in kept:
        context.say(f"  {each['id']}  {each['name']}  {moment(each['created'])}")


def restart(context: Context) -> None:
    """Restart the database server."""
    act(context, {"restart": {}}, "restarted")


def resize(context: Context) -> None:
    """Another flavor or a larger volume."""
    args = context.args
    change = {"volume": {"size": args.volume}} if args.volume else {"flavorRef": args.flavor}
    act(context, {"resize": change}, "resized")


def upgrade(context: Context) -> None:
    """Another datastore version; an instance that does not prove itself there is taken back."""
    row, version = find(context, context.args.instance), context.args.version
    change = {"datastore_version": version, "backup": not context.args.no_backup}
    reply = context.api.put(f"/instances/{row['id']}", {"instance": change})
    context.finish(reply.operation_id, f"{row['name']} is upgraded to {version}.")


def promote(context: Context) -> None:
    """Change places; nothing that the source has confirmed is lost."""
    act(context, {"promote_to_replica_source": {}}, "the source now")


def eject(context: Context) -> None:
    """One of its replicas takes the place of a source that has been silent for a while."""
    act(context, {"eject_replica_source": {}}, "on its own; the most advanced replica leads")


def detach(context: Context) -> None:
    """Nobody's replica."""
    row = find(context, context.args.instance)
    reply = context.api.put(f"/instances/{row['id']}", {"instance": {"replica_of": None}})
    context.finish(reply.operation_id, f"{row['name']} is an instance of its own.")


def act(context: Context, action: Row, done: str) -> None:
    """Ask for an action on the instance and see it through."""
    row = find(context, context.args.instance)
    reply = context.api.post(f"/instances/{row['id']}/action", action)
    context.finish(reply.operation_id, f"{row['name']} is {done}.")
