"""An upgrade, a rebuild and a patch begin with a backup where none is fresh, and not without it."""

from datetime import timedelta
from typing import Any

import pytest

from coffer.clock import utcnow
from coffer.database import database, transaction
from coffer.lifecycle import close, lease
from coffer.models import Backup, DatastoreVersion, Operation
from coffer.operations import State
from tests.api.conftest import Api
from tests.api.fleet import BACKUP
from tests.api.test_patches import begun as begun_row
from tests.api.test_patches import running

__all__ = ["running"]
UPGRADE = {"datastore_version": "10.11"}


def upgrade(api: Api, key: str, **more: Any) -> Any:
    return api.call("PATCH", f"/instances/{key}", {"instance": {**UPGRADE, **more}})


def begun(answer: Any) -> Operation:
    with database.connection_context():
        return begun_row(answer)


def operation(kind: str) -> Operation:
    """The newest of its kind."""
    with database.connection_context():
        rows = Operation.select().where(Operation.kind == kind)
        row: Operation = rows.order_by(Operation.created.desc()).get()
        return row


def backups() -> list[Backup]:
    with database.connection_context():
        return list(Backup.select().order_by(Backup.created))


def leased(row: Operation) -> Operation | None:
    with database.connection_context():
        return lease(row.id, "w")


def ended(row: Operation, state: State, reason: str | None = None) -> list[str]:
    """Its worker has ended it; kinds of what may run now."""
    facts = {"backup": BACKUP} if state == State.SUCCEEDED else {}
    with database.connection_context(), transaction():
        return [each.kind for each in close(row.id, state, reason, None, facts, utcnow())]


def shown(api: Api, row: Operation) -> Any:
    return api.call("GET", f"/operations/{row.id}").json["operation"]


def instance(api: Api, key: str) -> Any:
    return api.call("GET", f"/instances/{key}").json["instance"]


def test_the_backup_comes_first_and_nothing_in_between(api: Api, running: str) -> None:
    # given an instance without a backup, when it is upgraded
    wanted = begun(upgrade(api, running))
    making, (backup,) = operation("backup_create"), backups()
    # then one is made, which the upgrade waits for and names
    assert leased(wanted) is None
    assert (backup.name, backup.instance_id) == ("db1-before-upgrade", running)
    row = shown(api, wanted)
    assert (row["protected_by"], row["waits_for"]) == (backup.id, making.id)
    assert instance(api, running)["status"] == "UPGRADE"
    assert upgrade(api, running).status_code == 422
    # and as soon as that is there the upgrade has the instance, whoever else wants it
    assert ended(making, State.SUCCEEDED) == ["instance_upgrade"]
    assert upgrade(api, running).status_code == 422
    row = operation("instance_upgrade")
    assert (row.id, row.lock) == (wanted.id, running)
    assert row.deadline <= utcnow() + timedelta(hours=1)
    assert leased(wanted)
    row = shown(api, wanted)
    assert (row["state"], row["protected_by"]) == ("running", backup.id)
    assert "waits_for" not in row


@pytest.mark.parametrize("state", [State.FAILED, State.EXPIRED])
def test_without_its_backup_it_does_not_begin(api: Api, running: str, state: State) -> None:
    wanted = begun(upgrade(api, running))
    assert ended(operation("backup_create"), state, "the disk is full") == []
    # then it has ended like that, says why, and cannot be tried again without one
    row = shown(api, wanted)
    assert (row["state"], row["attempt"], row["actions"]) == (state, 0, [])
    assert row["reason"] == f"the backup before it {state}: the disk is full"
    answer = api.call("POST", f"/operations/{wanted.id}/action", {"retry": {}})
    assert (answer.status_code, "no backup" in answer.text) == (422, True)
    # and the instance is what it was, and may be upgraded
    row = instance(api, running)
    assert (row["status"], row["datastore"]["version"]) == ("ACTIVE", "10.11.18")
    assert "the backup before it" in row["fault"]["message"]
    assert begun(upgrade(api, running)).id != wanted.id


def test_both_are_stopped_together(api: Api, running: str) -> None:
    wanted = begun(upgrade(api, running))
    # given a backup that is being made, when the upgrade is aborted
    making = leased(operation("backup_create"))
    assert making
    answer = api.call("POST", f"/operations/{wanted.id}/action", {"abort": {}})
    assert answer.status_code == 202, answer.text
    # then the backup's worker is asked to stop, and both are over when it has
    assert operation("backup_create").abort_requested
    ended(making, State.ABORTED, "aborted by the user")
    assert shown(api, wanted)["state"] == "aborted"
    # and where no worker has begun, at once
    again = begun(upgrade(api, running))
    path = f"/mgmt/instances/{running}/action"
    answer = api.call("POST", path, {"reset-task-status": {}}, role="admin")
    assert answer.status_code == 202, answer.text
    assert shown(api, again)["state"] == "aborted"
    assert instance(api, running)["status"] == "ACTIVE"


def test_a_fresh_backup_serves_and_an_old_one_does_not(api: Api, running: str) -> None:
    first = begun(upgrade(api, running))
    ended(operation("backup_create"), State.SUCCEEDED)
    ended(first, State.FAILED, "it broke")
    assert shown(api, first)["actions"] == ["retry"]
    # given a fresh backup, when it is rebuilt, then at once, and that is its protection
    (backup,) = backups()
    path, body = f"/mgmt/instances/{running}/action", {"image_id": "an-image"}
    with database.connection_context():
        DatastoreVersion.update(image="an-image").execute()
    wanted = begun(api.call("POST", path, {"rebuild": body}, role="admin"))
    assert (wanted.kind, wanted.lock) == ("instance_rebuild", running)
    assert shown(api, wanted)["protected_by"] == backup.id
    ended(wanted, State.SUCCEEDED)
    # when it is old, then another one is made, also for a patch
    with database.connection_context():
        Backup.update(created=utcnow() - timedelta(hours=25)).execute()
    wanted = begun(api.call("POST", f"/instances/{running}/patch", {"patch": {}}))
    assert (wanted.lock, len(backups())) == (None, 2)


def test_who_wants_none_gets_none(api: Api, running: str) -> None:
    wanted = begun(upgrade(api, running, backup=False))
    assert (wanted.lock, backups()) == (running, [])
    assert "protected_by" not in shown(api, wanted)


def test_a_project_without_room_for_a_backup_is_told(api: Api, running: str) -> None:
    limits = {"quotas": {"backups": 0}}
    assert api.call("PUT", "/mgmt/quotas/p1", limits, role="admin").status_code == 200
    answer = upgrade(api, running)
    assert (answer.status_code, "backups" in answer.text) == (413, True), answer.text
    assert (instance(api, running)["status"], backups()) == ("ACTIVE", [])


def by_hand(api: Api, key: str, **more: Any) -> Any:
    wanted = {"kind": "instance_patch", "instance_id": key, **more}
    return api.call("POST", "/operations", {"operation": wanted}, role="admin")


def test_by_hand_the_backup_comes_first_too(api: Api, running: str) -> None:
    # given an instance without a backup, when a playbook wants to patch it
    answer = by_hand(api, running)
    # then a backup is made, and nothing else is on the record
    making, (backup,) = operation("backup_create"), backups()
    first = answer.json["operation"]
    assert (first["id"], first["kind"], making.runner) == (making.id, "backup_create", "worker")
    assert backup.name == "db1-before-patch"
    answer = by_hand(api, running)
    assert (answer.status_code, making.id in answer.text) == (422, True), answer.text
    # when that is there, then the instance is the playbook's, and the record names the backup
    ended(making, State.SUCCEEDED)
    row = by_hand(api, running).json["operation"]
    assert (row["kind"], row["state"], row["protected_by"]) == (
        "instance_patch",
        "running",
        backup.id,
    )
    assert backups() == [backup]


def test_by_hand_who_wants_no_backup_gets_none(api: Api, running: str) -> None:
    row = by_hand(api, running, backup=False).json["operation"]
    assert (row["kind"], row["state"], backups()) == ("instance_patch", "running", [])
