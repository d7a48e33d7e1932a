"""Waiting for an operation's end, for the few requests that Trove's clients expect to be done."""

import time
from collections.abc import Callable

from coffer.errors import Unprocessable
from coffer.models import Operation
from coffer.operations import ACTIVE_STATES, State

LOOK_EVERY = 0.05


def wait_for_end(
    operation: Operation,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Operation:
    """The operation once it has ended, or as it stands after `seconds`.

    Raises:
        Unprocessable: it ended in another way than success; the message says which.
    """
    deadline = clock() + seconds
    row: Operation = Operation.get_by_id(operation.id)
    while row.state in ACTIVE_STATES and clock() < deadline:
        sleep(LOOK_EVERY)
        row = Operation.get_by_id(operation.id)
    if row.state not in (*ACTIVE_STATES, State.SUCCEEDED):
        raise Unprocessable(f"{row.kind} {row.state}: {row.reason} (operation {row.id})")
    return row
