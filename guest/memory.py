"""Gives memory back that nothing needs until the next report."""

from __future__ import annotations

import ctypes

from guest.files import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MADV_DONTNEED = 4


def trimmer(maps: str = "/proc/self/maps") -> Callable[[], None]:
    """A function that lets go of program code; what is used again comes back by itself.

    Imports and handshakes touch several megabytes of code, and the kernel maps more around it.
    Code is never written to, so its pages can be dropped at any time.
    """
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)

    def trim() -> None:
        for line in (read(maps) or "").splitlines():
            fields = line.split()
            if len(fields) == 6 and fields[1] == "r-xp" and fields[5].startswith("/"):
                start, end = (int(address, 16) for address in fields[0].split("-"))
                madvise(start, end - start, MADV_DONTNEED)

    return trim
