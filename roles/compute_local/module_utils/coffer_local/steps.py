"""Converge: each step knows whether it is done (reads) and how to do it (changes).

A run that was killed leaves some steps done; the next run does the others. Check mode
asks only, so `done` must never change anything and must not need the steps before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .command import CommandFailed


class StepFailed(Exception):
    """A step could not be asked or done; the text says which, and why."""


@dataclass(frozen=True)
class Step:
    """One thing that should be so."""

    name: str
    done: Callable[[], bool]
    do: Callable[[], object]


def converge(steps: Iterable[Step], check: bool = False) -> list[str]:
    """Do the steps that are missing, in order; return their names. StepFailed at the first."""
    return [step.name for step in steps if _changed(step, check)]


def _changed(step: Step, check: bool) -> bool:
    try:
        if step.done():
            return False
        if not check:
            step.do()
    except (CommandFailed, ValueError, OSError) as error:
        raise StepFailed(f"{step.name}: {error}") from error
    return True
