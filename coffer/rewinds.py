"""A restore in place: an instance becomes what it was, and keeps its id and its address."""

from coffer.backup_ends import REWINDS
from coffer.callers import Caller
from coffer.database import transaction
from coffer.dispatch import Dispatcher
from coffer.models import Backup, Instance, Operation
from coffer.points import find_point
from coffer.quotas import Quotas
from coffer.replica_sets import require_alone
from coffer.repositories import Repositories
from coffer.restores import require_restorable, row_of
from coffer.status import require_running


class Rewinds:
    """Takes the request, checked, with the record of the safety backup that comes first."""

    def __init__(self, repositories: Repositories, dispatcher: Dispatcher, quotas: Quotas) -> None:
        self._repositories = repositories
        self._dispatcher = dispatcher
        self._quotas = quotas

    def begin(self, instance: Instance, to: str, caller: Caller) -> tuple[Backup, Operation]:
        """Start it; `to` as in `find_point`.

        Raises:
            BadRequest, Unprocessable: naming the field, or the instance's state.
            OverLimit: the project has no place for the safety backup.
        """
        point = find_point(instance.id, to)
        require_restorable(point.backup, instance.version_id, instance.volume_size)
        with transaction():
            fresh = Instance.get_by_id(instance.id)
            require_running(fresh)
            require_alone(fresh, "restore")
            self._quotas.reserve(fresh.project_id, backups=1)
            safety = Backup(
                project_id=fresh.project_id,
                name=f"{fresh.name[:200]} before its restore to {to}",
                instance=fresh,
                version=fresh.version_id,
                repository=self._repositories.of(fresh),
                method="physical",
            )
            operation = caller.begin(
                REWINDS,
                fresh,
                parameters={
                    "coffer_repository": fresh.id,
                    "coffer_backup": row_of(point.backup),
                    "coffer_point": point.variables,
                    "coffer_safety": {"id": safety.id, "method": safety.method},
                },
            )
            safety.operation_id = operation.id
            safety.save(force_insert=True)
        self._dispatcher.send(operation)
        return safety, operation
