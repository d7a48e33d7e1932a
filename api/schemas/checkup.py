"""The checkup on the wire (Coffer's own)."""

from api.schemas.common import Wire
from coffer.checkup import Health


class Finding(Wire):
    """What was found of one part of the installation."""

    part: str
    health: Health
    message: str
    remedy: str
    """What to do about it; empty when nothing needs to be done."""


class Checkup(Wire):
    """All parts, in an order that does not change."""

    checkup: list[Finding]
