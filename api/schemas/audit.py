"""The audit on the wire (Coffer's own)."""

from msgspec import UNSET, UnsetType

from api.schemas.common import Link, Wire


class AuditRecord(Wire):
    """Who asked for which change from where, and what came of it."""

    id: int
    at: str
    user: str
    project_id: str
    roles: str
    address: str
    method: str
    path: str
    request_id: str
    status: int | None
    operation_id: str | None
    outcome: str
    """The operation's state, or the answer's in a word when it started none."""


class AuditList(Wire):
    """A page of the audit, newest first."""

    audit: list[AuditRecord]
    links: list[Link] | UnsetType = UNSET
    audit_links: list[Link] | UnsetType = UNSET
