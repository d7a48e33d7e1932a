"""`dbctl log …`, and `dbctl logs`: what an engine wrote to its logs."""

from __future__ import annotations

import time
from typing import Any

from dbctl.arguments import Subparsers, add_noun, add_timeout, add_verb
from dbctl.context import Context
from dbctl.errors import BadUsage
from dbctl.nouns.instance import find
from dbctl.output import Columns, clean

Row = dict[str, Any]
PAUSE = 2.0
"""Seconds between two looks with `--follow`."""
SHORT, WHOLE = 64 * 1024, 1024 * 1024
"""Bytes that are asked for at once, to show the last lines and to go on from there."""
COLUMNS: Columns = (
    ("NAME", lambda row: row["name"]),
    ("ENABLED", lambda row: "yes" if row["enabled"] else "no"),
    ("SWITCH", lambda row: "yes" if row["type"] == "USER" else "always on"),
    ("KEPT", lambda row: f"{row['published'] / 1024:.0f} KB" if row["published"] else ""),
    ("NOTE", lambda row: row.get("warning")),
)
EPILOG = """\
The log is read in the instance; what was read is kept for a while by the service.

examples:
  dbctl logs db1
  dbctl logs db1 --log slow -n 200
  dbctl logs db1 --follow
"""


def add(nouns: Subparsers) -> None:
    """The verbs, and `logs`, which is `log tail`."""
    verbs = add_noun(nouns, "log", "Logs of instances.")
    _instance(add_verb(verbs, "list", list_, "Which logs an instance has."))
    tail_text = "The last lines of a log."
    for parser in (
        add_verb(verbs, "tail", tail, tail_text, EPILOG),
        add_verb(nouns, "logs", tail, tail_text, EPILOG),
    ):
        _instance(parser)
        parser.add_argument(
            "--log", metavar="L", help="its name or the beginning of it; default: the first"
        )
        parser.add_argument("-n", "--lines", type=int, default=50, metavar="N", help="default: 50")
        parser.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl-C")
    for name, run, text in (
        ("show", show, "Everything that is kept of a log; the instance is not asked."),
        ("enable", enable, "Switch a log on."),
        ("disable", disable, "Switch a log off."),
        ("discard", discard, "Drop what is kept of a log; in the instance it stays."),
    ):
        parser = add_verb(verbs, name, run, text)
        _instance(parser)
        parser.add_argument("log", metavar="LOG")


def _instance(parser: Any) -> None:
    add_timeout(parser)
    parser.add_argument(
        "instance", metavar="INSTANCE", help="name, id, or the id's first characters"
    )


def list_(context: Context) -> None:
    """All logs of an instance."""
    context.table("logs", logs(context, find(context, context.args.instance)), COLUMNS)


def show(context: Context) -> None:
    """What is kept."""
    row, log = chosen(context)
    print_lines(context, row, log, 0)


def tail(context: Context) -> None:
    """Read what is new in the guest, show the last lines, and go on if asked to."""
    row, log = chosen(context)
    if not log["enabled"]:
        hint = f"Switch it on:  dbctl log enable {row['name']} {log['name']}"
        raise BadUsage(f"log {log['name']} of {row['name']} is off", hint)
    read(context, row, log)
    found = lines(context, row, log, None, SHORT)
    last = found["content"].splitlines(keepends=True)[-context.args.lines :]
    if context.json:
        from dbctl.output import print_json

        print_json({"log": {**found, "content": "".join(last)}}, context.out)
        return
    write(context, "".join(last))
    while context.args.follow:
        time.sleep(PAUSE)
        read(context, row, log)
        found["next"] = print_lines(context, row, log, found["next"])


def enable(context: Context) -> None:
    """Switch it on, and say what that means."""
    row, log = chosen(context)
    if log.get("warning"):
        context.warn(log["warning"])
    act(context, row, log, "enable")
    context.say(
        f"Log {log['name']} of {row['name']} is on:  dbctl logs {row['name']} --log {log['name']}"
    )


def disable(context: Context) -> None:
    """Switch it off."""
    row, log = chosen(context)
    act(context, row, log, "disable")
    context.say(f"Log {log['name']} of {row['name']} is off.")


def discard(context: Context) -> None:
    """Drop what is kept."""
    row, log = chosen(context)
    act(context, row, log, "discard")
    context.say(f"Nothing is kept of log {log['name']} of {row['name']}.")


def logs(context: Context, row: Row) -> list[Row]:
    """The logs of an instance."""
    found: list[Row] = context.api.get(f"/instances/{row['id']}/log")["logs"]
    return found


def chosen(context: Context) -> tuple[Row, Row]:
    """The instance and its log that were meant."""
    row = find(context, context.args.instance)
    known = logs(context, row)
    wanted = context.args.log
    names = ", ".join(log["name"] for log in known)
    if not known:
        raise BadUsage(f"{row['name']} has no logs")
    if wanted is None:
        return row, known[0]
    exact = [log for log in known if log["name"] == wanted]
    fitting = exact or [log for log in known if log["name"].startswith(wanted)]
    if len(fitting) != 1:
        raise BadUsage(f"{row['name']} has no log {wanted!r}; it has {names}")
    return row, fitting[0]


def act(context: Context, row: Row, log: Row, what: str) -> Row:
    """Ask for one thing and see it through."""
    reply = context.api.post(f"/instances/{row['id']}/log", {"name": log["name"], what: 1})
    if reply.operation_id is not None:
        see_through(context, reply.operation_id)
    shown: Row = reply.document["log"]
    return shown


def see_through(context: Context, operation_id: str) -> None:
    """The server has waited for a while; only what takes longer is shown."""
    from dbctl.follow import ENDED, failure

    operation = context.api.get(f"/operations/{operation_id}")["operation"]
    if operation["state"] not in ENDED:
        operation = context.follow(operation_id)
    if operation["state"] != "succeeded":
        raise failure(operation)


def read(context: Context, row: Row, log: Row) -> None:
    """Let the service read what is new."""
    act(context, row, log, "publish")


def lines(context: Context, row: Row, log: Row, offset: int | None, limit: int) -> Row:
    """Kept lines."""
    path = f"/instances/{row['id']}/log/{log['name']}"
    found: Row = context.api.get(path, offset=offset, limit=limit)["log"]
    return found


def print_lines(context: Context, row: Row, log: Row, offset: int) -> int:
    """Everything from an offset on; returns where it ended."""
    while True:
        found = lines(context, row, log, offset, WHOLE)
        if found["next"] == offset or not found["content"]:
            return int(found["next"])
        write(context, found["content"])
        offset = found["next"]


def write(context: Context, text: str) -> None:
    """Lines of others: a terminal gets no control characters, a pipe gets what there is."""
    context.out.write(clean(text) if context.out.isatty() else text)
    context.out.flush()
