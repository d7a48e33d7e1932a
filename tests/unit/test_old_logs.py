"""Which snapshots of logs may go."""

import importlib.util
from typing import Any

import pytest

from coffer.paths import ROLES

spec = importlib.util.spec_from_file_location("old_logs", ROLES / "backup/files/old_logs.py")
assert spec
assert spec.loader
old_logs: Any = importlib.util.module_from_spec(spec)
spec.loader.exec_module(old_logs)


def row(name: str, chain: str, chapter: int, since: float) -> dict[str, Any]:
    return {"id": name, "chain": chain, "chapter": str(chapter), "since": str(since)}


ROWS = [
    row("a1", "a", 1, 0),
    row("a1'", "a", 1, 0),
    row("a2", "a", 2, 50),
    row("a3", "a", 3, 90),
    row("b1", "b", 1, 200),
    row("b1'", "b", 1, 200),
]


@pytest.mark.parametrize(
    ("oldest", "gone"),
    [
        ({"a": 10, "b": 210}, {"a1", "b1"}),
        ({"a": 60, "b": 210}, {"a1", "a1'", "b1"}),
        ({"a": 95}, {"a1", "a1'", "a2", "b1"}),
        ({"b": 210}, {"a1", "a1'", "a2", "a3", "b1"}),
        ({}, {"a1", "a1'", "a2", "a3", "b1"}),
    ],
)
def test_what_no_backup_needs_goes(oldest: dict[str, float], gone: set[str]) -> None:
    assert set(old_logs.unneeded(ROWS, oldest)) == gone


def test_nothing_is_no_error() -> None:
    assert old_logs.unneeded([], {}) == []
