"""Types that all bodies share."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

Name = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"[A-Za-z0-9]")]
"""1-255 characters with at least one ASCII letter or digit (Trove's name string)."""
Text = Annotated[str, Meta(min_length=1, max_length=255)]
Digits = Annotated[str, Meta(pattern=r"^[0-9]{1,9}$")]
Size = Annotated[int, Meta(ge=1, le=1_000_000)] | Digits
"""GB as a number or as digits; python-troveclient sends either."""


class Wire(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A body or a part of one; unset parts are left out."""


class Closed(Wire, forbid_unknown_fields=True):
    """A part whose unknown keys are refused."""


class Link(Wire):
    """A link; no client follows `self` and `bookmark`, some follow `next`."""

    href: str
    rel: str


class Fault(Wire):
    """What an error body holds below the fault's name."""

    code: int
    message: str


class Reference(Wire):
    """Something named by its id."""

    id: str
    links: list[Link] | UnsetType = UNSET


def last_segment(reference: str) -> str:
    """The id in a bare id or in a URL that ends in it."""
    return reference.split("?", 1)[0].rstrip("/").rsplit("/", 1)[-1]


class EmptyClusters(Wire):
    """GET /clusters."""

    clusters: list[str]


class EmptyModules(Wire):
    """GET of modules."""

    modules: list[str]
