"""Patches on the wire (Coffer's own)."""

from typing import Literal

from api.schemas.common import Closed


class PatchIn(Closed):
    """`packages`: those of a security archive, all newer ones, or none but the engine's."""

    packages: Literal["security", "all", "none"] = "security"
    plan: bool = False
    """Only find out what would change."""


class PatchInstance(Closed):
    """POST /instances/{id}/patch."""

    patch: PatchIn
