"""`dbctl schedule …`: when backups are made by themselves, and how many are kept."""

from __future__ import annotations

import argparse
from typing import Any

from dbctl.arguments import Subparsers, add_noun, add_verb, add_yes
from dbctl.context import Context
from dbctl.errors import NotFound
from dbctl.nouns.instance import find
from dbctl.output import Columns, moment

Row = dict[str, Any]
PATH, KEY = "/backup_schedules", "backup_schedules"
EPILOG = """\
Without INSTANCE it is the default of all instances of the project. CRON is hourly, daily or
weekly, five fields of cron in UTC, or never for an instance without scheduled backups. Each
instance begins a little later than that, always by the same time: not all start at once.

examples:
  dbctl schedule set daily
  dbctl schedule set '30 */6 * * *' db1 --keep last=4,daily=7
"""
COLUMNS: Columns = (
    ("INSTANCE", lambda row: row["instance"]),
    ("CRON", lambda row: row["cron"]),
    ("KEEP", lambda row: told(row["keep"])),
    ("METHOD", lambda row: row["method"]),
    ("LAST", lambda row: moment(row["last_run"])),
    ("NEXT", lambda row: moment(row["next_run"])),
)
EVERY = "(default)"


def add(nouns: Subparsers) -> None:
    """The verbs."""
    verbs = add_noun(nouns, "schedule", "When backups are made by themselves.")
    set_parser = add_verb(verbs, "set", set_, "Make or replace a schedule.", EPILOG)
    set_parser.add_argument("cron", metavar="CRON", help="hourly, daily, weekly, never, or cron")
    set_parser.add_argument(
        "--keep",
        metavar="RULES",
        type=rules,
        help="such as daily=7,weekly=4; of last, hourly, daily, weekly, monthly, yearly",
    )
    set_parser.add_argument("--method", metavar="M", help="physical or logical")
    remove_parser = add_verb(verbs, "remove", remove, "Remove a schedule; its backups stay.")
    add_yes(remove_parser)
    show_parser = add_verb(verbs, "show", show, "Show a schedule.")
    for parser in (set_parser, show_parser, remove_parser):
        parser.add_argument(
            "instance", metavar="INSTANCE", nargs="?", help="default: the project's default"
        )
    add_verb(verbs, "list", list_, "List the project's default and those of instances.")


def rules(text: str) -> dict[str, int]:
    """`daily=7,weekly=4` as a mapping."""
    try:
        return {key: int(count) for key, count in (part.split("=") for part in text.split(","))}
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not like daily=7,weekly=4") from None


def told(keep: dict[str, int]) -> str:
    """The rules as they are typed."""
    return ",".join(f"{rule}={count}" for rule, count in keep.items())


def set_(context: Context) -> None:
    """Make or replace one."""
    args = context.args
    wanted: Row = {"cron": args.cron}
    if args.instance:
        wanted["instance"] = find(context, args.instance)["id"]
    for key in ("keep", "method"):
        if getattr(args, key):
            wanted[key] = getattr(args, key)
    row = context.api.post(PATH, {"backup_schedule": wanted}).document["backup_schedule"]
    card(context, row)


def show(context: Context) -> None:
    """One schedule."""
    card(context, schedule(context))


def list_(context: Context) -> None:
    """All of the project, by the names of their instances."""
    names = {row["id"]: row["name"] for row in context.api.pages("/instances", "instances")}
    rows = context.api.get(PATH)[KEY]
    named = [row | {"instance": names.get(row["instance_id"]) or name_of(row)} for row in rows]
    context.table(KEY, sorted(named, key=lambda row: str(row["instance"])), COLUMNS)


def remove(context: Context) -> None:
    """Remove, after asking."""
    row = schedule(context)
    context.confirm(f"Remove the schedule of {context.args.instance or 'all instances'}?")
    context.api.delete(f"{PATH}/{row['id']}")
    context.say("The schedule is removed. Its backups stay.")


def schedule(context: Context) -> Row:
    """The schedule that was meant; NotFound where there is none."""
    wanted = context.args.instance
    target = find(context, wanted)["id"] if wanted else None
    rows = context.api.get(PATH)[KEY]
    for row in rows:
        if row["instance_id"] == target:
            return dict(row)
    whose = f"{wanted} has no schedule of its own" if wanted else "the project has no default"
    raise NotFound(whose, "See: dbctl schedule list")


def name_of(row: Row) -> str:
    """Of a schedule whose instance's name is not known."""
    return row["instance_id"] or EVERY


def card(context: Context, row: Row) -> None:
    """A schedule on lines of its own."""
    named = row | {"instance": context.args.instance or EVERY}
    pairs = [(title.lower(), cell(named)) for title, cell in COLUMNS]
    context.card({"backup_schedule": row}, pairs)
