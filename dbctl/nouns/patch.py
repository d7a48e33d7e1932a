"""`dbctl patch …`: newer packages and engines, foreseen and brought."""

from __future__ import annotations

import argparse
from typing import Any

from dbctl.arguments import Subparsers, add_noun, add_timeout, add_verb
from dbctl.context import Context
from dbctl.errors import BadUsage, OperationFailed
from dbctl.nouns.instance import find
from dbctl.output import Columns

Row = dict[str, Any]
COLUMNS: Columns = (
    ("INSTANCE", lambda row: row["instance"]),
    ("PACKAGE", lambda row: row["name"]),
    ("FROM", lambda row: row["from"]),
    ("TO", lambda row: row["to"]),
    ("ORIGIN", lambda row: row["origin"]),
)
PLAN = """\
Changes nothing.

examples:
  dbctl patch plan db1
  dbctl patch plan --engine mariadb --packages all
"""
APPLY = """\
One instance after the other; the first that fails ends the run. Before anything is changed a
snapshot is taken, and an instance that does not prove itself afterwards goes back to it by itself.

exit status:
  0 done, or there was nothing to do   1 an instance failed, and was taken back   2 no instance

examples:
  dbctl patch apply db1
  dbctl patch apply --engine mariadb --json >report.json
"""


def add(nouns: Subparsers) -> None:
    """The verbs."""
    verbs = add_noun(nouns, "patch", "Newer packages and engines.")
    _add(add_verb(verbs, "plan", plan, "What a patch would change.", PLAN))
    _add(add_verb(verbs, "apply", apply, "Patch instances, or take them back.", APPLY))


def _add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("instances", metavar="INSTANCE", nargs="*", help="names or ids")
    parser.add_argument("--engine", metavar="E", help="all instances of this datastore")
    parser.add_argument(
        "--packages",
        choices=["security", "all", "none"],
        default="security",
        help="of the operating system: security updates (default), all, or the engine alone",
    )
    add_timeout(parser)


def plan(context: Context) -> None:
    """Ask all instances at the same time, and show what they said."""
    begun = [(row["name"], _begin(context, row, plan=True)) for row in selected(context)]
    context.table("changes", [line for each in begun for line in _told(context, *each)], COLUMNS)


def apply(context: Context) -> None:
    """Patch one after the other."""
    rows = selected(context)
    changes: list[Row] = []
    try:
        for number, row in enumerate(rows, 1):
            context.say(f"{row['name']} ({number} of {len(rows)})")
            changes += _told(context, row["name"], _begin(context, row, plan=False))
    finally:
        context.table("changes", changes, COLUMNS)


def selected(context: Context) -> list[Row]:
    """The instances that were named, or all of an engine, by name.

    Raises:
        BadUsage: none.
    """
    args = context.args
    if bool(args.instances) == bool(args.engine):
        raise BadUsage("name instances, or give --engine")
    if args.instances:
        return [find(context, name) for name in args.instances]
    rows = context.api.pages("/instances", "instances")
    found = [row for row in rows if row["datastore"]["type"] == args.engine]
    if not found:
        raise BadUsage(f"there is no instance of {args.engine}", "dbctl instance list")
    return sorted(found, key=lambda row: str(row["name"]))


def _begin(context: Context, row: Row, *, plan: bool) -> str:
    asked = {"packages": context.args.packages, "plan": plan}
    return str(context.api.post(f"/instances/{row['id']}/patch", {"patch": asked}).operation_id)


def _told(context: Context, instance: str, operation_id: str) -> list[Row]:
    """What the operation changed or would change, a row each.

    Raises:
        OperationFailed: with the instance and the cause.
    """
    from dbctl.follow import failure

    operation = context.follow(operation_id)
    if operation["state"] != "succeeded":
        problem = failure(operation)
        raise OperationFailed(f"{instance}: {problem.message}", *problem.hints)
    done = operation["result"]["patch"]
    if done.get("seconds_without_writes"):
        context.say(f"{instance}: {done['seconds_without_writes']} s without writes")
    engine = [{"name": "(engine)", "origin": "", **done["engine"]}] if done["engine"] else []
    return [{"instance": instance, **line} for line in [*engine, *done["packages"]]]
