"""Quotas and limits on the wire (Trove v1.0)."""

from typing import Annotated

from msgspec import Meta

from api.schemas.common import Wire


class Quota(Wire):
    """One resource of a project; `limit` -1 is no limit."""

    resource: str
    in_use: int
    reserved: int
    limit: int


class QuotaList(Wire):
    """GET of a project's quotas."""

    quotas: list[Quota]


class QuotaChanges(Wire):
    """PUT: limits by resource (and the answer: those that were set); null leaves one as it is."""

    quotas: dict[str, Annotated[int, Meta(le=2**31 - 1)] | None]


class AbsoluteLimits(Wire):
    """The most that the project may have."""

    verb: str
    max_instances: int
    max_ram: int
    max_volumes: int
    max_backups: int


class LimitList(Wire):
    """GET /limits: the absolute limits come first; requests are not rationed."""

    limits: list[AbsoluteLimits]
