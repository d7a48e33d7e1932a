"""`dbctl operation …`: what the service is doing and has done."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from dbctl import output
from dbctl.arguments import Subparsers, add_noun, add_timeout, add_verb, add_waiting
from dbctl.context import Context
from dbctl.errors import BadUsage
from dbctl.output import Columns, clean, moment
from dbctl.steps import remark

Row = dict[str, Any]
STATES = ("queued", "running", "succeeded", "failed", "aborted", "expired")
TARGET = "id or its first characters, or an instance's name for its newest operation"


def add(nouns: Subparsers) -> None:
    """The verbs."""
    verbs = add_noun(nouns, "operation", "Operations: what the service is doing and has done.")
    lister = add_verb(verbs, "list", list_, "List operations, newest first.")
    lister.add_argument("--instance", metavar="INSTANCE", help="only of this instance")
    lister.add_argument("--state", choices=STATES, help="only in this state")
    show_parser = add_verb(verbs, "show", show, "Show one operation and its steps.")
    watch_parser = add_verb(verbs, "watch", watch, "Watch an operation until it ends.")
    add_timeout(watch_parser)
    retry_parser = add_verb(verbs, "retry", retry, "Run a failed operation again.")
    abort_parser = add_verb(verbs, "abort", abort, "Stop an operation.")
    for parser in (retry_parser, abort_parser):
        add_waiting(parser)
    end_parser = add_verb(verbs, "end", end, "Report the end of a playbook run by hand.")
    for parser in (show_parser, watch_parser, retry_parser, abort_parser, end_parser):
        parser.add_argument("operation", metavar="OPERATION", help=TARGET)
    end_parser.add_argument("--failed", metavar="REASON", help="it failed, for this reason")
    end_parser.add_argument(
        "--facts", metavar="FILE", help="JSON of what it found, - for stdin", default=None
    )
    begin_parser = add_verb(verbs, "begin", begin, "Take an instance for a playbook run by hand.")
    begin_parser.add_argument("kind", metavar="KIND", help="such as instance_restart")
    begin_parser.add_argument("instance", metavar="INSTANCE", help="name, id or its beginning")
    begin_parser.add_argument(
        "--no-backup", action="store_true", help="patch also without a fresh backup"
    )


def find(context: Context, wanted: str) -> Row:
    """The operation that was meant."""
    from dbctl import resolve

    return resolve.operation(context.api, wanted)


def seconds(row: Row) -> str:
    """How long it has taken."""
    return "" if row.get("seconds") is None else f"{row['seconds']:.1f} s"


COLUMNS: Columns = (
    ("ID", lambda row: row["id"]),
    ("KIND", lambda row: row["kind"]),
    ("INSTANCE", lambda row: row["instance_name"]),
    ("STATE", lambda row: row["state"]),
    ("CREATED", lambda row: moment(row["created"])),
    ("TOOK", seconds),
)
STEPS: Columns = (
    ("STATE", lambda row: row["state"]),
    ("ROLE", lambda row: row["role"] or row["play"] or "coffer"),
    ("STEP", lambda row: row["task"] or row["message"]),
    ("HOST", lambda row: row["host"]),
    ("TOOK", seconds),
)


def list_(context: Context) -> None:
    """Operations, newest first."""
    instance_id = None
    if context.args.instance:
        from dbctl import resolve

        instance_id = resolve.instance(context.api, context.args.instance)["id"]
    rows = context.api.pages(
        "/operations", "operations", instance_id=instance_id, state=context.args.state
    )
    context.table("operations", rows, COLUMNS)


def show(context: Context) -> None:
    """An operation and the steps of its last attempt."""
    row = find(context, context.args.operation)
    events = all_events(context, row["id"])
    if context.json:
        output.print_json({"operation": row, "events": events}, context.out)
        return
    output.print_card(fields(row), context.out)
    steps = [step for step in events if worth_showing(step, row)]
    if steps:
        context.out.write("\n")
        output.print_table(STEPS, steps, context.out)


def all_events(context: Context, operation_id: str) -> list[Row]:
    """Every event so far, however many the API gives at a time."""
    events: list[Row] = []
    while True:
        after = events[-1]["id"] if events else 0
        page = context.api.get(f"/operations/{operation_id}/events", after=after)["events"]
        if not page:
            return events
        events += page


def worth_showing(step: Row, operation: Row) -> bool:
    """Finished steps of the last attempt that did something."""
    if step["attempt"] != operation["attempt"]:
        return False
    return bool(remark(step)) or step["state"] not in ("started", "skipped")


def fields(row: Row) -> list[tuple[str, object]]:
    """What a person wants to know of an operation."""
    actions = [f"dbctl operation {name} {row['id']}" for name in row.get("actions") or []]
    return [
        ("id", row["id"]),
        ("kind", row["kind"]),
        ("instance", f"{row.get('instance_name') or ''} ({row['instance_id']})"),
        ("state", row["state"]),
        ("attempt", f"{row['attempt']} of {row['attempts']}" if row["attempt"] else None),
        ("created", moment(row["created"])),
        ("started", moment(row.get("started"))),
        ("ended", moment(row.get("ended"))),
        ("took", seconds(row)),
        ("failed at", row.get("failing_task")),
        ("reason", clean(row.get("reason")).strip()),
        ("waits for", row.get("waits_for")),
        ("backup", row.get("protected_by")),
        ("user", row.get("user")),
        ("request", row.get("request_id")),
        ("next", "\n".join(actions)),
    ]


def watch(context: Context) -> None:
    """Follow until the end; succeeds only if the operation does."""
    row = find(context, context.args.operation)
    context.args.wait = True
    context.finish(row["id"])


def retry(context: Context) -> None:
    """Once more, from the start; what is already right stays as it is."""
    row = find(context, context.args.operation)
    last = last_event(context, row["id"])
    reply = context.api.post(f"/operations/{row['id']}/action", {"retry": {}})
    context.finish(reply.operation_id or row["id"], after=last)


def last_event(context: Context, operation_id: str) -> int:
    """The id of the newest event, so that only new ones are shown."""
    events = all_events(context, operation_id)
    return events[-1]["id"] if events else 0


def abort(context: Context) -> None:
    """Stop it and, unless told otherwise, wait until it has stopped."""
    row = find(context, context.args.operation)
    context.api.post(f"/operations/{row['id']}/action", {"abort": {}})
    if not context.args.wait:
        context.report(context.api.get(f"/operations/{row['id']}")["operation"])
        return
    context.report(context.follow(row["id"], last_event(context, row["id"])))


def begin(context: Context) -> None:
    """Declare a playbook before it changes anything; playbooks do this themselves.

    Where a backup has to come first it is that which is begun, and reported.
    """
    from dbctl import resolve

    instance = resolve.instance(context.api, context.args.instance)
    wanted: Row = {"kind": context.args.kind, "instance_id": instance["id"]}
    if context.args.no_backup:
        wanted["backup"] = False
    begun = context.api.post("/operations", {"operation": wanted}).document["operation"]
    context.report(begun)
    if begun["kind"] != wanted["kind"]:
        context.say(f"a backup comes first; then ask again:  dbctl operation watch {begun['id']}")


def read_facts(source: str) -> Row:
    """A JSON object of a file, or of stdin for `-`.

    Raises:
        BadUsage: it cannot be read or is none.
    """
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
        facts = json.loads(text)
    except (OSError, ValueError) as error:
        raise BadUsage(f"--facts: cannot read {source}: {error}") from error
    if not isinstance(facts, dict):
        raise BadUsage(f"--facts: {source} holds no JSON object")
    return facts


def end(context: Context) -> None:
    """Say how a declared playbook ended."""
    row = find(context, context.args.operation)
    reason = context.args.failed
    ended: Row = {"succeeded": reason is None, **({"reason": reason} if reason else {})}
    if context.args.facts:
        ended["facts"] = read_facts(context.args.facts)
    context.api.post(f"/operations/{row['id']}/action", {"finish": ended})
    context.report(context.api.get(f"/operations/{row['id']}")["operation"])
