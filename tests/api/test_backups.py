"""Backups through the API (Trove's v1.0, backups)."""

from pathlib import Path
from typing import Any

import pytest

from coffer.database import database, transaction
from coffer.lifecycle import close
from coffer.models import Backup, Instance, Operation, Repository
from coffer.operations import State
from tests.api.conftest import Api

FACTS = {
    "snapshot": "ab12cd34",
    "size": 3 * 1024**3,
    "stored": 1000,
    "seconds": 2.5,
    "details": {"kind": "directory", "path": "/x/data", "counts": {"app.t": [1, 1]}},
}


@pytest.fixture
def instance(api: Api, wish: Any) -> str:
    """Id of an instance that is ready."""
    made = api.call("POST", "/instances", wish).json["instance"]["id"]
    with database.connection_context():
        Operation.update(state="succeeded", lock=None).execute()
        Instance.update(state="ACTIVE", task=None, operating_status="HEALTHY").execute()
    return str(made)


def make(api: Api, of: str, **more: Any) -> Any:
    body = {"backup": {"name": "b1", "instance": of, "incremental": 0, **more}}
    return api.call("POST", "/backups", body)


def finish(answer: Any, state: State = State.SUCCEEDED, facts: Any = None) -> None:
    """End the operation that an answer names, as its worker would."""
    operation = answer.headers["coffer-operation-id"]
    with database.connection_context(), transaction():
        reason = None if state == State.SUCCEEDED else "the volume is full"
        result = {"backup": FACTS if facts is None else facts}
        now = Operation.get_by_id(operation).created
        close(operation, state, reason, None, result, now)


def show(api: Api, backup: str) -> Any:
    return api.call("GET", f"/backups/{backup}").json["backup"]


def done(api: Api, instance: str, **more: Any) -> str:
    """Id of a backup that is complete."""
    answer = make(api, instance, **more)
    assert answer.status_code == 202, answer.text
    finish(answer)
    return str(answer.json["backup"]["id"])


def test_life_of_a_backup(api: Api, instance: str) -> None:
    answer = make(api, f"http://x/v1.0/p1/instances/{instance}?a=b", description="d")
    assert answer.status_code == 202, answer.text
    made = answer.json["backup"]
    assert (made["status"], made["instance_id"], made["size"]) == ("NEW", instance, None)
    assert made["datastore"]["type"] == "mysql"
    status = api.call("GET", f"/instances/{instance}").json["instance"]
    assert (status["status"], status["operating_status"]) == ("BACKUP", "HEALTHY")
    assert make(api, instance).status_code == 422

    with database.connection_context():
        Operation.update(state="running").where(Operation.lock == instance).execute()
    assert show(api, made["id"])["status"] == "BUILDING"
    finish(answer)
    shown = show(api, made["id"])
    assert (shown["status"], shown["size"], shown["parent_id"]) == ("COMPLETED", 3.0, None)
    assert (shown["stored_bytes"], shown["seconds"]) == (1000, 2.5)
    for path in ("/backups", f"/instances/{instance}/backups", "/backups?datastore=mysql"):
        assert [row["id"] for row in api.call("GET", path).json["backups"]] == [made["id"]], path

    gone = api.call("DELETE", f"/backups/{made['id']}")
    assert (gone.status_code, gone.text) == (202, "")
    assert api.call("DELETE", f"/backups/{made['id']}").status_code == 422
    finish(gone)
    assert api.call("GET", f"/backups/{made['id']}").status_code == 404


def test_a_failure_says_why_and_leaves_the_instance(api: Api, instance: str) -> None:
    answer = make(api, instance)
    finish(answer, State.FAILED, {})
    shown = show(api, answer.json["backup"]["id"])
    assert (shown["status"], shown["reason"]) == ("FAILED", "the volume is full")
    assert api.call("GET", f"/instances/{instance}").json["instance"]["status"] == "ACTIVE"
    assert make(api, instance).status_code == 202
    # without data there is nothing to wait for
    assert api.call("DELETE", f"/backups/{shown['id']}").status_code == 202
    assert api.call("GET", f"/backups/{shown['id']}").status_code == 404


def test_parents(api: Api, instance: str) -> None:
    first = done(api, instance, incremental=1)
    assert show(api, first)["parent_id"] is None
    second = done(api, instance, incremental=True)
    assert show(api, second)["parent_id"] == first
    third = done(api, instance, parent_id=first)
    assert show(api, third)["parent_id"] == first
    gone = api.call("DELETE", f"/backups/{first}")
    finish(gone)
    assert api.call("GET", "/backups").json["backups"] == []


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"instance": None}, 400, "instance"),
        ({"instance": "nope"}, 400, "instance"),
        ({"name": ""}, 400, "name"),
        ({"parent_id": "nope"}, 404, "nope"),
        ({"method": "magic"}, 400, "physical, logical"),
        ({"incremental": 2}, 400, "incremental"),
    ],
)
def test_what_is_refused(
    api: Api, instance: str, change: dict[str, Any], status: int, word: str
) -> None:
    answer = make(api, instance, **change)
    assert answer.status_code == status, answer.text
    assert word in answer.text


def test_a_backup_of_what_does_not_run_is_refused(api: Api, instance: str) -> None:
    with database.connection_context():
        Instance.update(operating_status="SHUTDOWN").execute()
    assert make(api, instance).status_code == 422


def test_pages(api: Api, instance: str) -> None:
    made = {done(api, instance) for _ in range(3)}
    first = api.call("GET", "/backups?limit=2").json
    assert "marker=2" in first["links"][0]["href"]
    second = api.call("GET", "/backups?limit=2&marker=2").json
    assert {row["id"] for row in first["backups"] + second["backups"]} == made
    assert "links" not in second


def test_strangers_see_nothing(api: Api, instance: str) -> None:
    made = done(api, instance)
    see: dict[str, Any] = {"role": "stranger", "project": "p2"}
    assert api.call("GET", "/backups", **see).json["backups"] == []
    assert api.call("GET", f"/backups/{made}", **see).status_code == 404
    assert api.call("DELETE", f"/backups/{made}", **see).status_code == 404
    assert api.call("GET", "/backups?all_projects=True").status_code == 403
    everything = api.call("GET", "/backups?all_projects=True", role="admin").json["backups"]
    assert [row["id"] for row in everything] == [made]


def test_an_instance_from_a_backup(api: Api, instance: str, wish: Any) -> None:
    made = done(api, instance)
    wanted = {"name": "db2", "flavorRef": "small", "restorePoint": {"backupRef": made}}
    small = {"instance": wanted | {"volume": {"size": 2}}}
    assert api.call("POST", "/instances", small).status_code == 403
    body = {"instance": wanted | {"volume": {"size": 3}}}
    answer = api.call("POST", "/instances", body)
    assert answer.status_code == 200, answer.text
    with database.connection_context():
        operation = Operation.get_by_id(answer.headers["coffer-operation-id"])
    assert operation.kind == "instance_restore"
    assert operation.parameters["coffer_repository"] == instance
    assert operation.parameters["coffer_backup"]["path"] == "/x/data"
    assert operation.parameters["coffer_backup"]["snapshot"] == "ab12cd34"
    # while it is being restored it stays
    assert api.call("DELETE", f"/backups/{made}").status_code == 422


def test_what_cannot_be_restored(api: Api, instance: str) -> None:
    made = make(api, instance).json["backup"]["id"]
    wanted = {"name": "db2", "flavorRef": "small", "volume": {"size": 3}}

    def ask(backup: str) -> int:
        point = {"restorePoint": {"backupRef": backup}}
        return int(api.call("POST", "/instances", {"instance": wanted | point}).status_code)

    assert ask(made) == 409
    assert ask("nope") == 404


def test_backups_outlive_their_instance(api: Api, instance: str) -> None:
    made = done(api, instance)
    gone = api.call("DELETE", f"/instances/{instance}")
    finish(gone, facts={})
    assert show(api, made)["status"] == "COMPLETED"
    with database.connection_context():
        variables = api.services.backups._repositories.variables(instance)
    assert set(variables) == {"coffer_repository_password", "coffer_gateway_password"}
    removed = api.call("DELETE", f"/backups/{made}")
    assert removed.status_code == 202, removed.text
    finish(removed)
    with database.connection_context():
        assert Backup.select().count() == 0


def test_the_gateway_knows_users_from_the_records_alone(api: Api, instance: str) -> None:
    done(api, instance)
    repositories = api.services.backups._repositories
    with database.connection_context():
        keys = repositories.variables(instance)
        stored = Repository.get_by_id(instance)
    path = api.services.settings.gateway_users
    assert Path(path).read_text() == f"{instance}:{stored.gateway_hash}\n"
    assert stored.gateway_hash.startswith("{SHA}")
    assert not any(key in stored.keys for key in keys.values())
