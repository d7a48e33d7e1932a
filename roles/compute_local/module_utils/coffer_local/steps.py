"""Converge: each step knows whether it is done (reads) and how to do it (changes).

A run that was killed leaves some steps done; the next run does the others. Check mode
asks only, so `done` must never change anything and must not need the steps before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One thing that should be so."""

    name: str
    done: Callable[[], bool]
    do: Callable[[], object]


def converge(steps: Iterable[Step], check: bool = False) -> list[str]:
    """Do the steps that are missing, in order; return their names."""
    changed = []
    for step in steps:
        if step.done():
            continue
        changed.append(step.name)
        if not check:
            step.do()
    return changed
