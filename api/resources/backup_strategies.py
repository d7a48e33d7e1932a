"""/backup_strategies (Trove v1.0): remembered for clients, without effect on where backups lie."""

from typing import Any

from api.call import Call
from api.endpoint import endpoint
from api.lookup import find_instance
from api.schemas import backup_strategy as wire
from coffer.errors import Forbidden
from coffer.models import BackupStrategy

QUERY = ("instance_id", "project_id")


class BackupStrategyCollection:
    """GET, POST and DELETE /backup_strategies."""

    @endpoint("List backup strategies", returns=wire.BackupStrategyList, query=QUERY)
    def on_get(self, call: Call) -> wire.BackupStrategyList:
        query = BackupStrategy.select().where(BackupStrategy.project_id == _project(call))
        if instance_id := call.parameter("instance_id"):
            query = query.where(BackupStrategy.instance_id == instance_id)
        rows = query.order_by(BackupStrategy.instance_id)
        return wire.BackupStrategyList(backup_strategies=[_view(row) for row in rows])

    @endpoint(
        "Remember a backup strategy",
        access="write",
        body=wire.CreateBackupStrategy,
        returns=wire.BackupStrategyDocument,
        status=202,
    )
    def on_post(self, call: Call, body: wire.CreateBackupStrategy) -> wire.BackupStrategyDocument:
        given = body.backup_strategy
        instance_id = find_instance(call, given.instance_id).id if given.instance_id else ""
        row = {
            "project_id": call.project_id,
            "instance_id": instance_id,
            "swift_container": given.swift_container,
        }
        BackupStrategy.insert(**row).on_conflict(
            conflict_target=[BackupStrategy.project_id, BackupStrategy.instance_id],
            update={"swift_container": given.swift_container},
        ).execute()
        return wire.BackupStrategyDocument(backup_strategy=_view(BackupStrategy(**row)))

    @endpoint("Forget a backup strategy", access="write", query=QUERY, status=202)
    def on_delete(self, call: Call) -> None:
        BackupStrategy.delete().where(
            BackupStrategy.project_id == _project(call),
            BackupStrategy.instance_id == (call.parameter("instance_id") or ""),
        ).execute()


def _project(call: Call) -> str:
    """Whose strategies are meant.

    Raises:
        Forbidden: another project's are for administrators.
    """
    wanted = call.parameter("project_id") or call.project_id
    if wanted != call.project_id and not call.identity.is_admin:
        raise Forbidden("project_id: another project's needs the role 'admin'")
    return wanted


def _view(row: Any) -> wire.BackupStrategy:
    return wire.BackupStrategy(
        project_id=row.project_id,
        instance_id=row.instance_id,
        backend="swift",
        swift_container=row.swift_container,
    )
