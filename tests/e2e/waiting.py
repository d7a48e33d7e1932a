"""Bounded waits, alone and side by side."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeVar

T = TypeVar("T")
S = TypeVar("S")


def wait_for(what: str, probe: Callable[[], T], timeout: float = 60, pause: float = 0.1) -> T:
    """The first true answer of `probe`; AssertionError after `timeout` seconds without one.

    An exception counts as a false answer: what is waited for is often just restarting.
    """
    ends = time.monotonic() + timeout
    while True:
        answer, trouble = _ask(probe)
        if answer:
            return answer  # type: ignore[no-any-return]
        if time.monotonic() > ends:
            raise AssertionError(f"{what}: not within {timeout:g} s; last: {trouble or answer!r}")
        time.sleep(pause)


def _ask(probe: Callable[[], Any]) -> tuple[Any, str]:
    try:
        return probe(), ""
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"


def at_once(function: Callable[[S], T], items: Iterable[S]) -> list[T]:
    """Results of the function for all items, each in a thread of its own."""
    things: Sequence[S] = list(items)
    with ThreadPoolExecutor(max(1, len(things))) as pool:
        return list(pool.map(function, things))


def next_second() -> str:
    """The second that begins now, as the API writes times."""
    time.sleep(1 - time.time() % 1)
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
