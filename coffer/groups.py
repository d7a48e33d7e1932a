"""What must be true of a configuration group before an instance has it."""

from coffer.errors import BadRequest
from coffer.models import Configuration, DatastoreVersion, Instance


def attached(group: Configuration) -> list[Instance]:
    """Living instances that have the group, by id."""
    query = Instance.select().where(Instance.configuration == group, Instance.deleted.is_null())
    return list(query.order_by(Instance.id))


def require_version(group: Configuration, version: DatastoreVersion) -> None:
    """Let only a group of this version pass: its values were checked by that one's rules.

    Raises:
        BadRequest: it is of another one.
    """
    if group.version_id != version.id:
        raise BadRequest(f"configuration {group.id} is of another datastore version")


def require_group(group_id: str | None) -> None:
    """Let only a group pass that is still there, in the transaction that will refer to it.

    Raises:
        BadRequest: it was deleted a moment ago.
    """
    if group_id is not None and Configuration.get_or_none(Configuration.id == group_id) is None:
        raise BadRequest(f"configuration {group_id} was deleted")
