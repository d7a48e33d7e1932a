"""`dbctl backup …`, and `dbctl restore`, which makes a new instance of one."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from dbctl.arguments import Subparsers, add_noun, add_verb, add_waiting, add_yes
from dbctl.context import Context
from dbctl.errors import BadUsage, DbctlError
from dbctl.nouns.instance import add_changing, find
from dbctl.output import Columns, moment, print_json, size_of

Row = dict[str, Any]
REGISTER = """\
A backup that another control plane made becomes known here: it can be verified and restored, while
its data stays where it is. LOCATION is what `dbctl backup show` says there, the key what `dbctl
backup key` says. An administrator names the places in the variable control_plane_backup_sources.

example:
  dbctl backup register coffer://RegionOne/REPOSITORY/SNAPSHOT mysql --name shop --key-file KEY
"""
EXPORT = """\
A logical backup is the text of a dump; a physical one is a tar archive of the data directory,
or of MariaDB the stream that mbstream unpacks. Nothing of Coffer is needed to use it.
"""
COLUMNS: Columns = (
    ("ID", lambda row: row["id"]),
    ("NAME", lambda row: row["name"]),
    ("INSTANCE", lambda row: row.get("instance_name") or row["instance_id"]),
    ("DATASTORE", lambda row: f"{row['datastore']['type']} {row['datastore']['version']}"),
    ("METHOD", lambda row: row["method"]),
    ("STATUS", lambda row: row["status"]),
    ("VERIFIED", lambda row: proof(row)),  # noqa: PLW0108 - it is defined below
    ("SIZE", lambda row: size_of(row["size"])),
    ("CREATED", lambda row: moment(row["created"])),
)


def add(nouns: Subparsers) -> None:
    """The verbs."""
    verbs = add_noun(nouns, "backup", "Backups of instances.")
    list_parser = add_verb(verbs, "list", list_, "List backups, the newest first.")
    list_parser.add_argument("instance", metavar="INSTANCE", nargs="?", help="only of this one")
    create_parser = add_changing(verbs, "create", create, "Make a backup of an instance.")
    create_parser.add_argument(
        "--name", metavar="TEXT", help="default: the instance's and the time"
    )
    create_parser.add_argument("--description", metavar="TEXT")
    create_parser.add_argument(
        "--method", metavar="M", help="physical or logical; default: the engine's first"
    )
    show_parser = add_verb(verbs, "show", show, "Show a backup.")
    verify_parser = add_verb(
        verbs, "verify", verify, "Prove that a backup can be restored, in a guest of its own."
    )
    add_waiting(verify_parser)
    export_parser = add_verb(
        verbs, "export", export, "Write a backup to a file, as plain data of its engine.", EXPORT
    )
    export_parser.add_argument(
        "--output", metavar="FILE", required=True, help="a new file, or - for stdout"
    )
    key_parser = add_verb(
        verbs, "key", key, "Print the key of a backup; it opens all backups of the instance."
    )
    register_parser = add_verb(
        verbs, "register", register, "Make known what another control plane backed up.", REGISTER
    )
    register_parser.add_argument("location", metavar="LOCATION", help="coffer://…")
    register_parser.add_argument("engine", metavar="ENGINE", help="see: dbctl datastore list")
    register_parser.add_argument("--version", metavar="V", help="default: the engine's default")
    register_parser.add_argument("--name", metavar="TEXT", required=True)
    register_parser.add_argument(
        "--key-file", metavar="FILE", required=True, help="a file with the key, or - for stdin"
    )
    delete_parser = add_verb(verbs, "delete", delete, "Delete a backup and its children.")
    add_waiting(delete_parser)
    add_yes(delete_parser)
    for parser in (show_parser, verify_parser, export_parser, key_parser, delete_parser):
        parser.add_argument(
            "backup", metavar="BACKUP", help="name, id, or the id's first characters"
        )


def list_(context: Context) -> None:
    """All backups of the project, or of one instance."""
    wanted = context.args.instance
    only = find(context, wanted)["id"] if wanted else None
    rows = context.api.pages("/backups", "backups", instance_id=only)
    names = {row["id"]: row["name"] for row in context.api.pages("/instances", "instances")}
    named = [row | {"instance_name": names.get(row["instance_id"])} for row in rows]
    context.table("backups", sorted(named, key=lambda row: str(row["created"]))[::-1], COLUMNS)


def create(context: Context) -> None:
    """Make one, wait, and show it."""
    instance = find(context, context.args.instance)
    wanted: Row = {"instance": instance["id"], "name": context.args.name or default_name(instance)}
    for key in ("description", "method"):
        if getattr(context.args, key):
            wanted[key] = getattr(context.args, key)
    reply = context.api.post("/backups", {"backup": wanted})
    made = reply.document["backup"]
    done = f"Restore it:  dbctl restore {made['id'][:8]} NEW_NAME --flavor F --volume GB"
    context.finish(reply.operation_id, done, beside={"backup": made})
    if not context.json:
        context.out.write(f"{made['id']}\n")


def default_name(instance: Row) -> str:
    """The instance's name and the time, in UTC."""
    from datetime import UTC, datetime

    return f"{instance['name'][:230]}-{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def show(context: Context) -> None:
    """One backup."""
    row = backup(context)
    pairs = [(title.lower(), cell(row)) for title, cell in COLUMNS]
    seconds = None if row["seconds"] is None else f"{row['seconds']:.1f} s"
    stored = None if row["stored_bytes"] is None else size_of(row["stored_bytes"] / 1024**3)
    more = [
        ("location", row["locationRef"]),
        ("parent", row["parent_id"]),
        ("duration", seconds),
        ("new data", stored),
        ("reason", row["reason"]),
        ("not proven", row["verify_reason"]),
        ("description", row["description"]),
    ]
    context.card({"backup": row}, [*pairs, *more])


def proof(row: Row) -> str:
    """When it was proven, or that it could not be."""
    if row["verified"] is None:
        return ""
    return moment(row["verified_at"]) if row["verified"] else "FAILED"


def verify(context: Context) -> None:
    """Have it restored, checked and compared, and say so."""
    row = backup(context)
    reply = context.api.post(f"/backups/{row['id']}/action", {"verify": {}})
    context.finish(reply.operation_id, f"{row['name']} is proven: it can be restored.")


def export(context: Context) -> None:
    """Whole or not at all."""
    row = backup(context)
    path, wanted = f"/backups/{row['id']}/data", context.args.output
    if wanted == "-":
        context.api.download(path, sys.stdout.buffer.write)
        return
    target = Path(wanted)
    if target.exists():
        raise BadUsage(f"{target} is there already", "Name a new file.")
    part = target.with_name(target.name + ".part")
    try:
        with open(part, "xb", opener=private) as sink:
            context.api.download(path, sink.write)
        part.rename(target)
    except OSError as error:
        raise DbctlError(f"{error.filename or part}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    context.say(f"{row['name']} is written to {target}.")


def key(context: Context) -> None:
    """Alone on stdout, so that it can go into a file."""
    found = context.api.post(f"/backups/{backup(context)['id']}/key", {}).document
    if context.json:
        print_json(found, context.out)
    else:
        context.out.write(f"{found['key']}\n")


def register(context: Context) -> None:
    """Make it known, and show it."""
    from dbctl import password
    from dbctl.nouns.configuration import version

    args = context.args
    there = {
        "remote_location": args.location,
        "local_datastore_version_id": context.api.get(version(context))["version"]["id"],
        "key": password.read(args.key_file, context.warn),
    }
    reply = context.api.post("/backups", {"backup": {"name": args.name, "restore_from": there}})
    made = reply.document["backup"]
    context.say(f"Prove it:  dbctl backup verify {made['id'][:8]}")
    context.card({"backup": made}, [("id", made["id"]), ("size", size_of(made["size"]))])


def private(name: str, flags: int) -> int:
    """Open for the owner alone: it is a database."""
    return os.open(name, flags, 0o600)


def delete(context: Context) -> None:
    """Delete, after asking."""
    row = backup(context)
    context.confirm(f"Delete backup {row['name']} ({row['id']}) and all that have it as parent?")
    reply = context.api.delete(f"/backups/{row['id']}")
    if reply.operation_id is None:
        context.say(f"{row['name']} is deleted.")
        return
    context.finish(reply.operation_id, f"{row['name']} is deleted.")


def backup(context: Context) -> Row:
    """The backup that was meant."""
    from dbctl import resolve

    return resolve.backup(context.api, context.args.backup)
