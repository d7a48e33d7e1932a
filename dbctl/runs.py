"""Following a patch run to its end, and what its end means for the exit status."""

from __future__ import annotations

import time
from typing import Any

from dbctl.context import Context
from dbctl.errors import Detached, OperationFailed, RunHalted, StillRunning, Unreachable

Row = dict[str, Any]
ENDED = ("done", "failed", "stopped", "aborted")
WAITING = "waiting"
INTERVAL = 0.5
PATIENCE = 60.0
"""Seconds for which the API may stay away."""


def follow(context: Context, run: Row) -> Row:
    """The run once it has ended or waits for a window, telling what happens on stderr.

    Raises:
        StillRunning: `--timeout` has passed.
        Detached: Ctrl-C.
    """
    timeout, started = context.args.timeout, time.monotonic()
    told: dict[str, str] = {}
    try:
        while True:
            tell(context, run, told)
            if run["state"] in (*ENDED, WAITING):
                return run
            if timeout is not None and time.monotonic() - started > timeout:
                raise StillRunning(f"still {run['state']} after {timeout:g} s", *ways(run))
            time.sleep(INTERVAL)
            run = ask(context, run["id"])
    except KeyboardInterrupt:
        raise Detached("stopped waiting; the run goes on", *ways(run)) from None


def ask(context: Context, run_id: str) -> Row:
    """The run as it stands; bears an API that is away for a while."""
    lost = time.monotonic()
    while True:
        try:
            return dict(context.api.get(f"/patches/{run_id}")["patch"])
        except Unreachable:
            if time.monotonic() - lost > PATIENCE:
                raise
            time.sleep(INTERVAL)


def tell(context: Context, run: Row, told: dict[str, str]) -> None:
    """A line for each thing that has changed; `told` remembers."""
    news = {row["instance_id"]: line(row) for row in run["instances"]}
    news[run["id"]] = run["reason"] or ""
    for key, text in news.items():
        if text and told.get(key) != text:
            context.say(text)
        told[key] = text


def line(row: Row) -> str:
    """How an instance stands, in words."""
    if row["state"] == "pending" and not row["problem"]:
        return ""
    took = f" in {row['seconds']:.1f} s" if row["state"] == "done" else ""
    without = row["seconds_without_writes"]
    quiet = f", {without} s of them without writes" if without else ""
    problem = f": {row['problem']}" if row["problem"] else ""
    return f"wave {row['wave']}: {row['instance']}: {row['state']}{took}{quiet}{problem}"


def check(run: Row) -> None:
    """Let only a run pass that is done.

    Raises:
        OperationFailed: an instance failed.
        RunHalted: none failed, but it was aborted or waits for a window.
    """
    failed = [row for row in run["instances"] if row["state"] == "failed"]
    if failed and run["state"] != "aborted":
        first = failed[0]
        raise OperationFailed(
            f"{len(failed)} of {len(run['instances'])} instances failed:"
            f" {first['instance']}: {first['problem']}",
            *(f"dbctl operation show {row['operation']}" for row in failed if row["operation"]),
            *([f"dbctl patch resume {run['id']}"] if "resume" in run["actions"] else []),
        )
    if run["state"] != "done":
        raise RunHalted(f"the run is {run['state']}: {run['reason']}", *ways(run))


def ways(run: Row) -> tuple[str, ...]:
    """How to take the thread up again."""
    verbs = ["show", *run["actions"]]
    return tuple(f"dbctl patch {verb} {run['id']}" for verb in verbs)
