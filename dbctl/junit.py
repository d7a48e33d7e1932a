"""JUnit's XML: what CI servers show of a run, a test case for each instance."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Tree

from dbctl.errors import DbctlError


def write(path: str, suite: str, rows: Iterable[dict[str, Any]]) -> None:
    """`rows` hold `instance`, `seconds` and, of those that failed or were left out, `problem`
    and `state` (`failed` or `skipped`).

    Raises:
        DbctlError: the file cannot be written.
    """
    cases = list(rows)
    counts = {
        "tests": len(cases),
        "failures": sum(row["state"] == "failed" for row in cases),
        "skipped": sum(row["state"] == "skipped" for row in cases),
    }
    root = Tree.Element("testsuite", {"name": suite, **{k: str(v) for k, v in counts.items()}})
    for row in cases:
        named = {"classname": suite, "name": row["instance"], "time": str(row["seconds"])}
        case = Tree.SubElement(root, "testcase", named)
        if row["state"] == "failed":
            Tree.SubElement(case, "failure", {"message": row["problem"]})
        if row["state"] == "skipped":
            Tree.SubElement(case, "skipped", {"message": row["problem"]})
    try:
        Path(path).write_bytes(Tree.tostring(root, encoding="utf-8", xml_declaration=True))
    except OSError as error:
        raise DbctlError(f"--junit: cannot write {path}: {error.strerror}") from error
