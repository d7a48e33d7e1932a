"""How long to wait before the conductor is tried again."""

import os
from collections.abc import Callable

LONGEST = 30.0
REVOKED = 60.0


def fraction() -> float:
    """A random number from 0 to 1."""
    return int.from_bytes(os.urandom(2), "big") / 65535


class Backoff:
    """Grows from one second to half a minute, with jitter so that guests do not march in step."""

    def __init__(self, fraction: Callable[[], float] = fraction) -> None:
        self._fraction = fraction
        self._ceiling = 1.0

    def failed(self) -> float:
        """Seconds to wait after another failure."""
        seconds = self._ceiling * (1 + self._fraction()) / 2
        self._ceiling = min(LONGEST, self._ceiling * 2)
        return seconds

    def reset(self) -> None:
        """Start over: the conductor answers again."""
        self._ceiling = 1.0
