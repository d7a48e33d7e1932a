"""Writing and reading the audit: append-only, written before a change is made."""

from datetime import datetime
from typing import Any

import peewee

from coffer.models import AuditRecord, Operation
from coffer.tokens import Identity

FORGOTTEN_AT_ONCE = 500


def asked(identity: Identity, address: str, method: str, path: str, request_id: str) -> int:
    """Record a request before it is done, so that no death of the service hides it; its id."""
    row = AuditRecord.create(
        user=identity.user,
        project_id=identity.project_id,
        roles=",".join(sorted(identity.roles))[:255],
        address=address[-255:],
        method=method,
        path=path[:4096],
        request_id=request_id,
    )
    return int(row.id)


def answered(record: int, status: int, operation_id: str | None) -> None:
    """Record how a request was answered; only the first answer counts."""
    AuditRecord.update(status=status, operation_id=operation_id).where(
        AuditRecord.id == record, AuditRecord.status.is_null()
    ).execute()


def forget(before: datetime) -> int:
    """Drop the oldest records from before a moment, a bounded number at once; how many went."""
    old = AuditRecord.select(AuditRecord.id).where(AuditRecord.at < before)
    ids = [row.id for row in old.order_by(AuditRecord.at).limit(FORGOTTEN_AT_ONCE)]
    return int(AuditRecord.delete().where(AuditRecord.id.in_(ids)).execute()) if ids else 0


def records(project_id: str | None, **wanted: Any) -> Any:
    """Newest first with the state of what they started (`state`); None means all projects.

    `wanted` are columns and their values, None for any.
    """
    query = (
        AuditRecord.select(AuditRecord, Operation.state)
        .join(Operation, peewee.JOIN.LEFT_OUTER, on=(AuditRecord.operation_id == Operation.id))
        .order_by(AuditRecord.id.desc())
    )
    if project_id is not None:
        query = query.where(AuditRecord.project_id == project_id)
    for name, value in wanted.items():
        if value is not None:
            query = query.where(getattr(AuditRecord, name) == value)
    return query.objects()
