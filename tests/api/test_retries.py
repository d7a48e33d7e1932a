"""What may be tried again, and what has been overtaken."""

from typing import Any

import pytest

from coffer.database import database
from coffer.lifecycle import end, lease
from coffer.models import Operation
from coffer.operations import State
from tests.api.fleet import BACKUP, Fleet


@pytest.fixture
def fleet(api: Any) -> Fleet:
    made = Fleet(api)
    made.add("db1")
    return made


def back_up(fleet: Fleet, state: State) -> tuple[str, str]:
    """A backup whose making has ended; its id and its operation's."""
    body = {"backup": {"name": "b", "instance": fleet.ids["db1"]}}
    answer = fleet.api.call("POST", "/backups", body)
    operation = answer.headers["coffer-operation-id"]
    finish(operation, state)
    return answer.json["backup"]["id"], operation


def finish(operation: str, state: State) -> None:
    with database.connection_context():
        leased = lease(operation, "w")
        assert leased is not None
        end(leased, state, reason="why", facts={"backup": BACKUP})


def retry(fleet: Fleet, operation: str) -> Any:
    return fleet.api.call("POST", f"/operations/{operation}/action", {"retry": {}})


def ask(fleet: Fleet, method: str, path: str, body: Any = None) -> str:
    """Begin an operation; its id."""
    answer = fleet.api.call(method, path, body)
    assert answer.status_code in (200, 202), answer.text
    return str(answer.headers["coffer-operation-id"])


def test_a_backup_whose_record_is_gone(fleet: Fleet) -> None:
    backup, operation = back_up(fleet, State.FAILED)
    assert fleet.api.call("DELETE", f"/backups/{backup}").status_code == 202
    answer = retry(fleet, operation)
    assert (answer.status_code, "was deleted" in answer.text) == (422, True)


def test_a_quota_that_is_used_up_meanwhile(fleet: Fleet) -> None:
    _backup, failed_backup = back_up(fleet, State.FAILED)
    quotas = {"quotas": {"backups": 0, "volumes": 1}}
    fleet.api.call("PUT", "/mgmt/quotas/p1", quotas, role="admin")
    assert retry(fleet, failed_backup).status_code == 413
    with database.connection_context():
        Operation.update(kind="instance_resize", changes={"volume_size": 2}).execute()
    assert retry(fleet, failed_backup).status_code == 413


def test_a_restore_beside_a_deletion(fleet: Fleet, wish: Any) -> None:
    backup, _operation = back_up(fleet, State.SUCCEEDED)
    given = {"instance": wish["instance"] | {"restorePoint": {"backupRef": backup}}}
    restore = ask(fleet, "POST", "/instances", given)
    finish(restore, State.FAILED)
    deletion = ask(fleet, "DELETE", f"/backups/{backup}")
    assert retry(fleet, restore).status_code == 422
    finish(deletion, State.FAILED)
    assert retry(fleet, restore).status_code == 202
    assert retry(fleet, deletion).status_code == 422, "it would delete what is being read"


def test_a_deletion_that_never_ran_leaves_the_backup(fleet: Fleet) -> None:
    backup, _operation = back_up(fleet, State.SUCCEEDED)
    deletion = ask(fleet, "DELETE", f"/backups/{backup}")
    fleet.api.call("POST", f"/operations/{deletion}/action", {"abort": {}})
    shown = fleet.api.call("GET", f"/backups/{backup}").json["backup"]
    assert shown["status"] == "COMPLETED"


def test_access_after_a_replica_has_left(fleet: Fleet) -> None:
    """Coffer closes the source's engine by itself; who asks meanwhile gets what was asked for."""
    source = fleet.ids["db1"]
    fleet.add("db2", source_id=source)
    finish(ask(fleet, "DELETE", f"/instances/{fleet.ids['db2']}"), State.SUCCEEDED)
    assert fleet.under_way() == ["db1: access_update"]
    body = {"instance": {"access": {"is_public": False}}}
    ask(fleet, "PUT", f"/instances/{source}", body)
