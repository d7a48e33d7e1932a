"""Files that a patch run leaves for others: JSON and JUnit's XML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dbctl import junit
from dbctl.context import Context
from dbctl.errors import DbctlError

Row = dict[str, Any]


def write(context: Context, run: Row) -> None:
    """Whatever files were asked for.

    Raises:
        DbctlError: one cannot be written.
    """
    write_json(context, {"patch": run})
    if getattr(context.args, "junit", None):
        junit.write(
            context.args.junit, "dbctl patch apply", [case(row) for row in run["instances"]]
        )


def write_json(context: Context, document: Row) -> None:
    """The document in the file of `--json FILE.json`.

    Raises:
        DbctlError: it cannot be written.
    """
    path = context.args.json
    if not isinstance(path, str):
        return
    try:
        Path(path).write_text(json.dumps(document, indent=2) + "\n")
    except OSError as error:
        raise DbctlError(f"--json: cannot write {path}: {error.strerror}") from error


def case(row: Row) -> Row:
    """An instance for JUnit: what had no turn counts as skipped."""
    return row if row["state"] in ("done", "failed") else {**row, "state": "skipped"}
