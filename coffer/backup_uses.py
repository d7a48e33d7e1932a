"""Which operations read or delete what lies in a repository: never both at once."""

from collections.abc import Iterable

from coffer.models import Operation
from coffer.operations import ACTIVE_STATES

RESTORES, REWINDS = "instance_restore", "instance_rewind"
VERIFIES, DELETES = "backup_verify", "backup_delete"
REHEARSES = "patch_rehearse"
READS = (RESTORES, REWINDS, VERIFIES, REHEARSES)


def reader(repository_id: str) -> Operation | None:
    """An operation under way that reads a backup of the repository."""
    return _under_way(READS, repository_id)


def deleter(repository_id: str) -> Operation | None:
    """An operation under way that deletes from the repository."""
    return _under_way((DELETES,), repository_id)


def _under_way(kinds: Iterable[str], repository_id: str) -> Operation | None:
    rows = Operation.select().where(
        Operation.kind.in_(list(kinds)), Operation.state.in_(ACTIVE_STATES)
    )
    found = (row for row in rows if row.parameters.get("coffer_repository") == repository_id)
    return next(found, None)
