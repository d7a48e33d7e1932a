"""`dbctl patch …`: newer packages and engines, foreseen and brought."""

from __future__ import annotations

import argparse
import time
from typing import Any

from dbctl.arguments import Subparsers, add_noun, add_timeout, add_verb, duration
from dbctl.context import Context
from dbctl.errors import BadUsage, OperationFailed, Refused
from dbctl.nouns.instance import find
from dbctl.output import Columns

Row = dict[str, Any]
CHANGES: Columns = (
    ("INSTANCE", lambda row: row["instance"]),
    ("PACKAGE", lambda row: row["name"]),
    ("FROM", lambda row: row["from"]),
    ("TO", lambda row: row["to"]),
    ("ORIGIN", lambda row: row["origin"]),
)
RUN: Columns = (
    ("INSTANCE", lambda row: row["instance"]),
    ("WAVE", lambda row: row["wave"]),
    ("STATE", lambda row: row["state"]),
    ("CHANGES", lambda row: len(row["changes"])),
    ("WITHOUT WRITES", lambda row: f"{row['seconds_without_writes']} s"),
    ("PROBLEM", lambda row: row["problem"]),
)
WAVES = "1,10%,50%,100%"
PLAN = """\
Changes nothing.

examples:
  dbctl patch plan db1
  dbctl patch plan --engine mariadb --packages all
"""
APPLY = """\
Before anything is changed a snapshot of the instance is taken, and one that does not prove itself
afterwards goes back to it by itself. Run again, it goes on where it stopped: what is patched
already has nothing to do.

exit status:
  0 done, or there was nothing to do   1 an instance failed   2 no instance, or wrong usage

examples:
  dbctl patch apply db1
  dbctl patch apply --engine mariadb --wave 1,10%,50%,100% --pause 5m --junit report.xml
"""


def add(nouns: Subparsers) -> None:
    """The verbs."""
    verbs = add_noun(nouns, "patch", "Newer packages and engines.")
    _add(add_verb(verbs, "plan", plan, "What a patch would change.", PLAN))
    parser = add_verb(verbs, "apply", apply, "Patch instances, or take them back.", APPLY)
    _add(parser)
    parser.add_argument(
        "--wave",
        metavar="W",
        default=WAVES,
        help=f"how many are done after each wave (default: {WAVES})".replace("%", "%%"),
    )
    parser.add_argument(
        "--max-failures", metavar="N", type=int, default=0, help="more end the run (default: 0)"
    )
    parser.add_argument(
        "--pause", metavar="T", type=duration, default=0.0, help="between waves, such as 5m"
    )
    parser.add_argument("--junit", metavar="FILE", help="write a report for CI servers")


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
    told = [(name, _ended(context, operation)) for name, operation in begun]
    changes = [
        {"instance": name, **line} for name, done in told for line in _changes(done["patch"])
    ]
    context.table("changes", changes, CHANGES)


def apply(context: Context) -> None:
    """Patch in waves, and report.

    Raises:
        OperationFailed: an instance failed.
    """
    from dbctl import junit, waves

    args = context.args
    report: list[Row] = []
    for number, wave in enumerate(waves.split(selected(context), args.wave), 1):
        failed = [row for row in report if row["state"] == "failed"]
        if len(failed) > args.max_failures:
            report += [_left_out(row, number) for row in wave]
            continue
        if number > 1 and args.pause:
            context.say(f"wave {number} in {args.pause:g} s")
            time.sleep(args.pause)
        report += _wave(context, number, wave)
    if args.junit:
        junit.write(args.junit, "dbctl patch apply", report)
    context.table("instances", report, RUN)
    failed = [row for row in report if row["state"] == "failed"]
    if failed:
        raise OperationFailed(
            f"{len(failed)} of {len(report)} instances failed: {failed[0]['instance']}:"
            f" {failed[0]['problem']}",
            *(f"dbctl operation show {row['operation']}" for row in failed if row["operation"]),
        )


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


def _wave(context: Context, number: int, rows: list[Row]) -> list[Row]:
    """All of a wave at the same time; the service's workers take them in turn."""
    context.say(f"wave {number}: {', '.join(row['name'] for row in rows)}")
    begun = []
    for row in rows:
        line = {**_left_out(row, number), "state": "done", "problem": ""}
        try:
            line["operation"] = _begin(context, row, plan=False)
        except Refused as error:
            line |= {"state": "failed", "problem": error.message}
        begun.append(line)
    return [_outcome(context, line) if line["operation"] else line for line in begun]


def _left_out(row: Row, wave: int) -> Row:
    return {
        "instance": row["name"],
        "wave": wave,
        "operation": None,
        "state": "skipped",
        "problem": "an earlier wave failed",
        "changes": [],
        "seconds": 0.0,
        "seconds_without_writes": 0.0,
    }


def _outcome(context: Context, line: Row) -> Row:
    operation = context.follow(line["operation"])
    line["seconds"] = operation["seconds"]
    if operation["state"] != "succeeded":
        where = operation["failing_task"] or operation["state"]
        return {**line, "state": "failed", "problem": f"at '{where}': {operation['reason']}"}
    done = operation["result"]["patch"]
    without = done.get("seconds_without_writes", 0.0)
    return {**line, "changes": _changes(done), "seconds_without_writes": without}


def _begin(context: Context, row: Row, *, plan: bool) -> str:
    asked = {"packages": context.args.packages, "plan": plan}
    return str(context.api.post(f"/instances/{row['id']}/patch", {"patch": asked}).operation_id)


def _ended(context: Context, operation_id: str) -> Row:
    from dbctl.follow import failure

    operation = context.follow(operation_id)
    if operation["state"] != "succeeded":
        raise failure(operation)
    found: Row = operation["result"]
    return found


def _changes(done: Row) -> list[Row]:
    engine = [{"name": "(engine)", "origin": "", **done["engine"]}] if done["engine"] else []
    return [*engine, *done["packages"]]
