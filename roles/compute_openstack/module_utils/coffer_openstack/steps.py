"""Converge: each step knows whether it is done (reads) and how to do it (changes).

A run that was killed leaves some steps done; the next run does the others. Check mode asks
only, so `done` never changes anything and does not need the steps before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .errors import CLOUD_ERRORS, said


class StepFailed(Exception):
    """A step could not be asked or done; the text says which, and the cloud's own reason."""


@dataclass(frozen=True)
class Step:
    """One thing that should be so."""

    name: str
    done: Callable[[], bool]
    do: Callable[[], object]


def converge(steps: Iterable[Step], check: bool = False) -> list[str]:
    """Do the steps that are missing, in order; return their names. StepFailed at the first."""
    return [step.name for step in steps if _changed(step, check)]


def converge_all(steps: Iterable[Step], check: bool = False) -> list[str]:
    """The same, but one that fails does not keep the others from being done."""
    changed, failures = [], []
    for step in steps:
        try:
            changed += [step.name] if _changed(step, check) else []
        except StepFailed as failure:
            failures.append(str(failure))
    if failures:
        raise StepFailed("; ".join(failures))
    return changed


def _changed(step: Step, check: bool) -> bool:
    try:
        if step.done():
            return False
        if not check:
            step.do()
    except CLOUD_ERRORS as error:
        raise StepFailed(f"{step.name}: {said(error)}") from error
    return True
