"""`dbctl window …`: when instances may be worked on."""

from __future__ import annotations

import argparse
from typing import Any

from dbctl.arguments import Subparsers, add_noun, add_verb, add_yes, duration
from dbctl.context import Context
from dbctl.errors import NotFound
from dbctl.nouns.instance import find
from dbctl.output import Columns, moment

Row = dict[str, Any]
PATH, KEY = "/maintenance_windows", "maintenance_windows"
EVERY = "(default)"
EPILOG = """\
Patch runs begin with an instance while its window is open. Without INSTANCE it is the default of
all instances of the project. Times are UTC; a window may last past midnight.

examples:
  dbctl window set sat,sun 02:00 4h
  dbctl window set mon,tue,wed,thu,fri 22:30 90m db1
"""
COLUMNS: Columns = (
    ("INSTANCE", lambda row: row["instance"]),
    ("DAYS", lambda row: ",".join(row["days"])),
    ("START", lambda row: f"{row['start']} UTC"),
    ("LASTS", lambda row: f"{row['minutes']} minutes"),
    ("OPEN", lambda row: "yes" if row["open"] else f"from {moment(row['opens'])}"),
)


def add(nouns: Subparsers) -> None:
    """The verbs."""
    verbs = add_noun(nouns, "window", "When instances may be worked on.")
    set_parser = add_verb(verbs, "set", set_, "Make or replace a maintenance window.", EPILOG)
    set_parser.add_argument("days", metavar="DAYS", type=days, help="such as sat,sun")
    set_parser.add_argument("start", metavar="HH:MM", help="when it opens, UTC")
    set_parser.add_argument("length", metavar="TIME", type=minutes, help="such as 4h or 90m")
    remove_parser = add_verb(verbs, "remove", remove, "Remove a maintenance window.")
    add_yes(remove_parser)
    for parser in (set_parser, remove_parser):
        parser.add_argument(
            "instance", metavar="INSTANCE", nargs="?", help="default: the project's default"
        )
    add_verb(verbs, "list", list_, "List the project's default and those of instances.")


def days(text: str) -> list[str]:
    """`sat,sun` as a list; the service knows the days."""
    return [part.strip().lower()[:3] for part in text.split(",")]


def minutes(text: str) -> int:
    """Whole minutes of a duration."""
    found = int(duration(text) / 60)
    if found < 1:
        raise argparse.ArgumentTypeError("a window lasts a minute or more")
    return found


def set_(context: Context) -> None:
    """Make or replace one."""
    args = context.args
    wanted: Row = {"days": args.days, "start": args.start, "minutes": args.length}
    if args.instance:
        wanted["instance"] = find(context, args.instance)["id"]
    row = context.api.post(PATH, {"maintenance_window": wanted}).document["maintenance_window"]
    pairs = [(title.lower(), cell(named(row, {}))) for title, cell in COLUMNS]
    context.card({"maintenance_window": row}, pairs)


def list_(context: Context) -> None:
    """All of the project, by the names of their instances."""
    names = {row["id"]: row["name"] for row in context.api.pages("/instances", "instances")}
    rows = [named(row, names) for row in context.api.get(PATH)[KEY]]
    context.table(KEY, sorted(rows, key=lambda row: str(row["instance"])), COLUMNS)


def named(row: Row, names: dict[str, str]) -> Row:
    """A window with its instance's name, as far as it is known."""
    key = row["instance_id"]
    return row | {"instance": names.get(key, key) if key else EVERY}


def remove(context: Context) -> None:
    """Remove, after asking."""
    wanted = context.args.instance
    target = find(context, wanted)["id"] if wanted else None
    found = [row for row in context.api.get(PATH)[KEY] if row["instance_id"] == target]
    if not found:
        whose = f"{wanted} has no window of its own" if wanted else "the project has no default"
        raise NotFound(whose, "See: dbctl window list")
    context.confirm(f"Remove the window of {wanted or 'all instances'}?")
    context.api.delete(f"{PATH}/{found[0]['id']}")
    context.say("The window is removed.")
