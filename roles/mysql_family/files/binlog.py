"""Binary logs as files: where transactions begin and when they were committed.

Events have a header of 19 bytes: time, kind, server, size, end, flags (little endian).
Source: MySQL's internals manual and MariaDB's knowledge base, binary log format.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

MAGIC = 4
"""Bytes before the first event."""
HEADER = struct.Struct("<IBIIIH")
OPENING = (15, 35, 161, 163, 164)
"""Kinds of events that a new log begins with: format, what was before, checkpoint, encryption."""
TRANSACTION = 33
"""MySQL's first event of a transaction; the microsecond of the commit stands at COMMITTED."""
COMMITTED = slice(42, 49)
OTHER_TRANSACTIONS = (42, 162)
"""MySQL's with a tag and MariaDB's, which know the second of the statement that committed."""


def events(path: Path) -> Iterator[tuple[int, int, int, bytes]]:
    """Position, kind, unix second and first bytes of the body of each whole event."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        position = MAGIC
        while position + HEADER.size <= size:
            stream.seek(position)
            head = stream.read(HEADER.size + 64)
            at, kind, _server, length, _end, _flags = HEADER.unpack_from(head)
            if length < HEADER.size or position + length > size:
                return
            yield position, kind, at, head[HEADER.size :]
            position += length


def transactions(path: Path) -> Iterator[tuple[int, float]]:
    """Position and moment of commit (unix seconds) of each transaction."""
    for position, kind, at, body in events(path):
        if kind == TRANSACTION:
            stamp = int.from_bytes(body[COMMITTED], "little") & ~(1 << 55)
            yield position, stamp / 1e6
        elif kind in OTHER_TRANSACTIONS:
            yield position, float(at)


def is_empty(path: Path) -> bool:
    """Whether nothing was logged there yet."""
    return all(kind in OPENING for _, kind, _, _ in events(path))


def end_before(path: Path, moment: float) -> int | None:
    """The position of the first transaction that was not committed before; None if all were."""
    for position, committed in transactions(path):
        if committed >= moment:
            return position
    return None
