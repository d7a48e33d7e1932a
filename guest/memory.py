"""Gives memory back that only the start needed."""

import ctypes

from guest.files import read

MADV_DONTNEED = 4


def trim(maps: str = "/proc/self/maps") -> None:
    """Let go of program code that was touched until now; what is used again comes back by itself.

    Importing Python's modules and the first TLS handshake touch several megabytes of code that
    the loop never runs again. Code is never written to, so the pages can be dropped.
    """
    libc = ctypes.CDLL(None)
    for line in (read(maps) or "").splitlines():
        fields = line.split()
        if len(fields) < 6 or fields[1] != "r-xp" or not fields[5].startswith("/"):
            continue
        start, _, end = fields[0].partition("-")
        address, size = int(start, 16), int(end, 16) - int(start, 16)
        libc.madvise(ctypes.c_void_p(address), ctypes.c_size_t(size), MADV_DONTNEED)
