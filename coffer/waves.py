"""Waves: a few of a fleet first, more when these went well."""

from __future__ import annotations

import math
from typing import TypeVar

from coffer.errors import BadRequest

T = TypeVar("T")


def split(things: list[T], waves: str) -> list[list[T]]:
    """`things` in waves such as `1,10%,50%,100%`: how many are done after each of them.

    The last wave has what is left, whether it is written or not; waves that would be empty are
    left out.

    Raises:
        BadRequest: a part is neither a number nor a percentage, or smaller than the one before.
    """
    ends = [_end(part.strip(), len(things)) for part in waves.split(",")]
    if ends != sorted(ends):
        raise BadRequest(f"waves: {waves} must not become smaller")
    found, begin = [], 0
    for end in [*ends, len(things)]:
        if end > begin:
            found.append(things[begin:end])
            begin = end
    return found


def _end(part: str, whole: int) -> int:
    number = part.removesuffix("%")
    if not number.isdecimal() or int(number) == 0 or (number != part and int(number) > 100):
        raise BadRequest(
            f"waves: '{part[:40]}' is neither a number nor a percentage, such as 1,50%,100%"
        )
    count = int(number) if number == part else math.ceil(whole * int(number) / 100)
    return min(count, whole)
