"""`dbctl patch …`: newer packages and engines, foreseen and brought."""

from __future__ import annotations

import argparse
from typing import Any

from dbctl.arguments import FILE_COMPLETION, Subparsers, add_noun, add_timeout, add_verb, duration
from dbctl.context import Context
from dbctl.errors import BadUsage, NotFound, Refused, RunHalted
from dbctl.nouns.instance import find
from dbctl.output import Columns, moment

Row = dict[str, Any]
PATH = "/patches"
CHANGES: Columns = (
    ("INSTANCE", lambda row: row["instance"]),
    ("PACKAGE", lambda row: row["name"]),
    ("FROM", lambda row: row["from"]),
    ("TO", lambda row: row["to"]),
    ("ORIGIN", lambda row: row["origin"]),
    ("CVES", lambda row: ", ".join(row["cves"])),
)
MEMBERS: Columns = (
    ("INSTANCE", lambda row: row["instance"]),
    ("WAVE", lambda row: row["wave"]),
    ("STATE", lambda row: row["state"]),
    ("CHANGES", lambda row: len(row["changes"])),
    ("TOOK", lambda row: f"{row['seconds']:.1f} s"),
    ("WITHOUT WRITES", lambda row: f"{row['seconds_without_writes']} s"),
    ("PROBLEM", lambda row: row["problem"]),
)
RUNS: Columns = (
    ("ID", lambda row: row["id"]),
    ("DOES", lambda row: row["does"]),
    ("STATE", lambda row: row["state"]),
    ("WAVE", lambda row: row["wave"]),
    ("INSTANCES", lambda row: counted(row["counts"])),
    ("CREATED", lambda row: moment(row["created"])),
    ("REASON", lambda row: row["reason"]),
)
WAVES = "1,10%,50%,100%"
PLAN = """\
Changes nothing.

examples:
  dbctl patch plan db1
  dbctl patch plan --selector engine=mariadb --packages all
"""
REHEARSE = """\
The newest backup of an instance is restored into a guest of its own (without one a backup is made
first), which is patched, has to prove itself, and is thrown away: the instance is left alone.

examples:
  dbctl patch rehearse db1
"""
APPLY = """\
The service goes through the waves by itself, whether somebody waits or not. Before anything is
changed a snapshot of the instance is taken, and one that does not prove itself afterwards goes
back to it by itself. Run again, it goes on where it stopped: what is patched already has nothing
to do. --selector takes engine, version, project and name (a pattern such as web-*).

exit status:
  0 done, or there was nothing to do   1 an instance failed
  2 nothing fits, or wrong usage       3 stopped by somebody, or a window is closed
  4 --timeout passed, still going on

examples:
  dbctl patch apply db1
  dbctl patch apply --selector engine=mariadb,project=shop --wave 1,10%,50%,100% --pause 5m
  dbctl patch apply --engine mysql --junit report.xml --json report.json
"""


def add(nouns: Subparsers) -> None:
    """The verbs."""
    verbs = add_noun(nouns, "patch", "Newer packages and engines.")
    planned = add_verb(verbs, "plan", plan, "What a patch would change.", PLAN, report=True)
    _add_which(planned)
    add_timeout(planned)
    text = "Patch guests of their own that hold the newest backups."
    rehearsed = add_verb(verbs, "rehearse", rehearse, text, REHEARSE, report=True)
    _add_which(rehearsed)
    _add_wait(rehearsed)
    text = "Patch instances, or take them back."
    _add_apply(add_verb(verbs, "apply", apply, text, APPLY, report=True))
    add_verb(verbs, "list", list_, "List runs, newest first.")
    shown = add_verb(verbs, "show", show, "Show a run and its instances.")
    aborted = add_verb(verbs, "abort", abort, "Begin nothing more, take back what is under way.")
    resumed = add_verb(verbs, "resume", resume, "Try again what failed or had no turn.")
    resumed.add_argument("--force", action="store_true", help="override maintenance windows")
    shown.add_argument("patch", metavar="RUN", nargs="?", help="default: the newest one")
    for parser in (aborted, resumed):
        parser.add_argument("patch", metavar="RUN", help="id or its first characters")
        _add_wait(parser)


def _add_which(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("instances", metavar="INSTANCE", nargs="*", help="names or ids")
    parser.add_argument(
        "--selector", metavar="KEY=VALUE,…", type=selector, help="all instances that fit"
    )
    parser.add_argument("--engine", metavar="E", help="short for --selector engine=E")
    parser.add_argument(
        "--packages",
        choices=["security", "all", "none"],
        default="security",
        help="of the operating system: security updates (default), all, or the engine alone",
    )


def _add_apply(parser: argparse.ArgumentParser) -> None:
    _add_wait(parser)
    _add_which(parser)
    add = parser.add_argument
    add(
        "--wave",
        metavar="W",
        default=WAVES,
        help=f"how many are done after each wave (default: {WAVES})".replace("%", "%%"),
    )
    add("--max-failures", metavar="N", type=int, default=0, help="more end the run (default: 0)")
    add("--pause", metavar="T", type=duration, default=0.0, help="between waves, such as 5m")
    add("--canary", metavar="INSTANCE", help="the one that goes first")
    add("--force", action="store_true", help="override maintenance windows")
    add("--no-backup", dest="backup", action="store_false", help="also without a fresh backup")
    junit = add("--junit", metavar="FILE", help="write a report for CI servers")
    junit.complete = FILE_COMPLETION  # type: ignore[attr-defined]


def _add_wait(parser: argparse.ArgumentParser) -> None:
    waiting = parser.add_mutually_exclusive_group()
    waiting.add_argument(
        "--wait", action="store_true", default=True, help="until it is over (the default)"
    )
    waiting.add_argument(
        "--no-wait", dest="wait", action="store_false", help="return as soon as it has begun"
    )
    add_timeout(parser)


def selector(text: str) -> dict[str, str]:
    """`engine=mysql,project=shop` as a mapping."""
    try:
        return dict(part.split("=", 1) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not like engine=mysql,name=web-*") from None


def plan(context: Context) -> None:
    """What would change, of all instances at the same time."""
    from dbctl import reports, runs

    run = runs.follow(context, begin(context, {"does": "plan", "waves": "100%"}))
    changes = [
        {"instance": row["instance"], **line} for row in run["instances"] for line in row["changes"]
    ]
    reports.write_json(context, {"changes": changes, "patch": run})
    context.table("changes", changes, CHANGES)
    for row in run["instances"]:
        if row["restart"]:
            what = "guest" if row["reboot"] else "engine"
            context.say(f"{row['instance']}: the {what} is restarted")
        if services := row.get("services"):
            context.say(f"{row['instance']}: {', '.join(services)}: restarted too")
    runs.check(run)


def rehearse(context: Context) -> None:
    """Tell how long it took, and whether it worked."""
    finish(context, begin(context, {"does": "rehearse", "waves": "100%"}))


def apply(context: Context) -> None:
    """Patch in waves, and report.

    Raises:
        OperationFailed: an instance failed.
        RunHalted: it was aborted, or waits for a window.
    """
    args = context.args
    wanted: Row = {
        "waves": args.wave,
        "max_failures": args.max_failures,
        "pause": args.pause,
        "backup": args.backup,
        "force": args.force,
    }
    if args.canary:
        wanted["canary"] = find(context, args.canary)["id"]
    if args.force:
        context.say("maintenance windows are overridden")
    finish(context, begin(context, wanted))


def begin(context: Context, wanted: Row) -> Row:
    """The run that the service has begun.

    Raises:
        BadUsage: nothing fits, or the request is wrong.
        RunHalted: an instance is in another run.
    """
    asked = wanted | which(context) | {"packages": context.args.packages}
    try:
        return dict(context.api.post(PATH, {"patch": asked}).document["patch"])
    except Refused as error:
        if error.status == 400:
            raise BadUsage(error.message, *error.hints) from error
        if error.status == 422:
            raise RunHalted(error.message, *error.hints, "dbctl patch list") from error
        raise


def which(context: Context) -> Row:
    """What the instances are, as the service is told.

    Raises:
        BadUsage: none is, or in two ways.
    """
    args = context.args
    chosen = (args.selector or {}) | ({"engine": args.engine} if args.engine else {})
    if bool(args.instances) == bool(chosen):
        raise BadUsage("name instances, or give --selector")
    if chosen:
        return {"selector": chosen}
    try:
        return {"instances": [find(context, name)["id"] for name in args.instances]}
    except NotFound as error:
        raise BadUsage(error.message, *error.hints) from error


def finish(context: Context, run: Row) -> None:
    """See a run through as `--no-wait` says, and report it."""
    from dbctl import reports, runs

    if not context.args.wait:
        card(context, run)
        return
    run = runs.follow(context, run)
    reports.write(context, run)
    card(context, run)
    runs.check(run)


def card(context: Context, run: Row) -> None:
    """A run: its instances as a table, or the whole document."""
    if context.json:
        context.card({"patch": run}, [])
        return
    context.say(f"patch run {run['id']}: {run['state']}")
    context.table("instances", run["instances"], MEMBERS)


def list_(context: Context) -> None:
    """Runs, newest first."""
    context.table("patches", context.api.get(PATH)["patches"], RUNS)


def show(context: Context) -> None:
    """One run."""
    run = found(context)
    if run["reason"]:
        context.say(run["reason"])
    card(context, run)


def abort(context: Context) -> None:
    """End a run."""
    from dbctl import runs

    run = act(context, {"abort": {}})
    card(context, runs.follow(context, run) if context.args.wait else run)


def resume(context: Context) -> None:
    """Go on with a run."""
    finish(context, act(context, {"resume": {"force": context.args.force}}))


def act(context: Context, body: Row) -> Row:
    """Ask for an action on a run."""
    path = f"{PATH}/{found(context)['id']}/action"
    return dict(context.api.post(path, body).document["patch"])


def found(context: Context) -> Row:
    """The run that was meant."""
    from dbctl import resolve

    return resolve.patch(context.api, context.args.patch)


def counted(counts: dict[str, int]) -> str:
    """How many instances stand where."""
    return ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
