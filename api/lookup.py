"""Finding a caller's things by id: another project's are not there."""

from api.call import Call
from coffer.errors import NotFound
from coffer.models import Configuration, Datastore, DatastoreVersion, Instance, Operation


def find_instance(call: Call, instance_id: str) -> Instance:
    """An instance that the caller may see.

    Raises:
        NotFound: there is none of that id in the project (in any project, for admins).
    """
    query = Instance.select(Instance, DatastoreVersion, Datastore)
    query = query.join(DatastoreVersion).join(Datastore)
    found = query.where(Instance.id == instance_id, Instance.deleted.is_null())
    row: Instance | None = found.first()
    if row is None or not _visible(call, row.project_id):
        raise NotFound(f"instance '{instance_id}' does not exist")
    return row


def find_configuration(call: Call, configuration_id: str) -> Configuration:
    """A configuration group that the caller may see.

    Raises:
        NotFound: as for instances.
    """
    row = Configuration.get_or_none(Configuration.id == configuration_id)
    if row is None or not _visible(call, row.project_id):
        raise NotFound(f"configuration '{configuration_id}' does not exist")
    return row


def find_operation(call: Call, operation_id: str) -> Operation:
    """An operation that the caller may see.

    Raises:
        NotFound: as for instances.
    """
    row = Operation.get_or_none(Operation.id == operation_id)
    if row is None or not _visible(call, row.project_id):
        raise NotFound(f"operation '{operation_id}' does not exist")
    return row


def _visible(call: Call, project_id: str) -> bool:
    return call.identity.is_admin or project_id == call.project_id
