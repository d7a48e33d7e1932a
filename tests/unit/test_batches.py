"""Requests that come together are done together, and each has its own end."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from api.batches import LARGEST, Batches


def test_what_comes_together_is_done_together() -> None:
    seen: list[list[int]] = []

    def double(items: Sequence[int]) -> list[int]:
        seen.append(list(items))
        return [2 * item for item in items]

    async def ask() -> list[int]:
        batches = Batches(double)
        return await asyncio.gather(*(batches.add(number) for number in range(LARGEST + 5)))

    assert asyncio.run(ask()) == [2 * number for number in range(LARGEST + 5)]
    assert [len(batch) for batch in seen] == [LARGEST, 5]


def test_what_breaks_a_batch_breaks_itself_alone() -> None:
    def invert(items: Sequence[int]) -> list[float]:
        return [1 / item for item in items]

    async def ask() -> list[float | BaseException]:
        batches = Batches(invert)
        adding = [batches.add(number) for number in (1, 0, 2)]
        return await asyncio.gather(*adding, return_exceptions=True)

    one, zero, two = asyncio.run(ask())
    assert (one, two) == (1, 0.5)
    assert isinstance(zero, ZeroDivisionError)


def test_what_is_nobodys_fault_is_tried_once() -> None:
    tries = []

    def fail(items: Sequence[int]) -> Sequence[int]:
        tries.append(items)
        raise ConnectionError

    async def ask() -> list[int | BaseException]:
        batches = Batches(fail, (ConnectionError,))
        adding = [batches.add(number) for number in range(3)]
        return await asyncio.gather(*adding, return_exceptions=True)

    assert [type(end) for end in asyncio.run(ask())] == [ConnectionError] * 3
    assert len(tries) == 1


def test_who_gives_up_holds_nobody_up() -> None:
    go = threading.Event()

    def wait(items: Sequence[int]) -> Sequence[int]:
        go.wait(10)
        return items

    async def ask() -> int:
        batches = Batches(wait)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(batches.add(1), 0.1)
        go.set()
        return await batches.add(2)

    assert asyncio.run(ask()) == 2
