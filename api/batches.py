"""What many requests ask for at the same time, done together."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

LARGEST = 200
"""Items of a batch."""
LINGER = 0.01
"""Seconds in which a batch may grow: one of ten costs little more than one of one."""
Item = TypeVar("Item")
Result = TypeVar("Result")


class Batches(Generic[Item, Result]):
    """Gathers what requests bring while the batch before is done, in a thread of its own.

    Each request waits until its batch is done: what was answered is kept.
    """

    def __init__(
        self,
        do: Callable[[Sequence[Item]], Sequence[Result]],
        everybodys: tuple[type[Exception], ...] = (),
    ) -> None:
        """`do` returns as many results as it is given items; `everybodys` errors are of no item."""
        self._do = do
        self._everybodys = everybodys
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._busy: asyncio.Task[None] | None = None

    async def add(self, item: Item) -> Result:
        """The item's result, or the error that it ended with."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((item, future))
        if self._busy is None or self._busy.done():
            self._busy = loop.create_task(self._work())
        return await future

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            await asyncio.sleep(LINGER)
            batch, self._waiting = self._waiting[:LARGEST], self._waiting[LARGEST:]
            items = [item for item, _ in batch]
            ends = await loop.run_in_executor(self._thread, self._ends, items)
            for (_, future), end in zip(batch, ends, strict=True):
                if future.done():  # its request was given up
                    continue
                if isinstance(end, Exception):
                    future.set_exception(end)
                else:
                    future.set_result(end)

    def _ends(self, items: Sequence[Item]) -> Sequence[Result | Exception]:
        """A result or an error for each: one that breaks its batch breaks none but itself."""
        try:
            return self._do(items)
        except self._everybodys as error:
            return [error] * len(items)
        except Exception as error:
            if len(items) == 1:
                return [error]
            return [end for item in items for end in self._ends([item])]
