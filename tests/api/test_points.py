"""Points in time through the API: what guests tell of their logs, what can be asked for."""

from datetime import UTC, datetime
from typing import Any

import pytest

from coffer.database import database, transaction
from coffer.lifecycle import close
from coffer.models import Instance, Operation
from coffer.operations import State
from coffer.points import note_chains
from coffer.secrets import hash_token
from tests.api.conftest import Api
from tests.api.test_backups import FACTS, finish, instance, make

__all__ = ["instance"]

NOON = int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp())
WANTED = {"name": "db2", "flavorRef": "small", "volume": {"size": 3}}


def back_up(api: Api, of: str, at: float, chain: str = "c1") -> str:
    """Id of a backup whose logs are being sent."""
    answer = make(api, of)
    details = FACTS["details"] | {"chain": chain, "at": NOON + at}
    finish(answer, facts=FACTS | {"details": details, "size": 1024**3})
    return str(answer.json["backup"]["id"])


def tell(of: str, chain: str, since: float, until: float) -> None:
    with database.connection_context():
        note_chains([(of, {"chain": chain, "since": NOON + since, "until": NOON + until})])


def reach(api: Api, of: str) -> tuple[str, str]:
    row = api.call("GET", f"/instances/{of}").json["instance"]
    return row["earliest_restorable_time"], row["latest_restorable_time"]


def ask(api: Api, **point: Any) -> Any:
    return api.call("POST", "/instances", {"instance": WANTED | {"restorePoint": point}})


def test_what_can_be_brought_back_is_shown(api: Api, instance: str) -> None:
    assert reach(api, instance) == (None, None)
    back_up(api, instance, 0.5)
    assert reach(api, instance) == (None, None)
    tell(instance, "c1", -5, 60.9)
    assert reach(api, instance) == ("2026-11-22T12:00:01Z", "2026-11-22T12:01:00Z")
    tell(instance, "c1", -5, 30)
    assert reach(api, instance)[1] == "2026-11-22T12:01:00Z"


def test_the_conductor_hands_it_on(api: Api, instance: str) -> None:
    back_up(api, instance, 0)
    with database.connection_context():
        Instance.update(guest_token_hash=hash_token("t")).execute()
        logs = {"chain": "c1", "since": NOON - 1.5, "until": NOON + 20.5}
        report = {"instance_id": instance, "sequence": 1, "state": "HEALTHY", "logs": logs}
        assert api.services.reports.accept_all([("t", report)]) == [True]
    assert reach(api, instance)[1] == "2026-11-22T12:00:20Z"


def test_chains_of_one_batch_are_all_kept(api: Api, instance: str) -> None:
    """A guest that tells of the end of a chain and of the next one at once loses neither."""
    back_up(api, instance, 0)
    tell(instance, "c1", -5, 10)
    with database.connection_context():
        Instance.update(guest_token_hash=hash_token("t")).execute()
        batch = []
        for number, chain in enumerate(("c1", "c2"), 1):
            logs = {"chain": chain, "since": NOON - 1, "until": NOON + 20}
            report = {"instance_id": instance, "sequence": number, "state": "HEALTHY"}
            batch.append(("t", report | {"logs": logs}))
        assert api.services.reports.accept_all(batch) == [True, True]
    assert reach(api, instance)[1] == "2026-11-22T12:00:20Z"


def test_a_new_instance_as_one_was(api: Api, instance: str) -> None:
    first, second = back_up(api, instance, 0), back_up(api, instance, 100)
    tell(instance, "c1", -5, 200)
    for to, backup, seconds in [
        ("2026-11-22T12:00:01Z", first, 1),
        ("2026-11-22T13:01:40+01:00", first, 100),
        ("2026-11-22T12:01:41Z", second, 101),
        ("latest", second, None),
    ]:
        answer = ask(api, instance=instance, to=to)
        assert answer.status_code == 200, answer.text
        with database.connection_context():
            parameters = Operation.get_by_id(answer.headers["coffer-operation-id"]).parameters
        assert parameters["coffer_backup"]["id"] == backup
        point = parameters["coffer_point"]
        assert (point["chain"], point["to"]) == ("c1", seconds and NOON + seconds)


def test_times_before_a_gap_stay(api: Api, instance: str) -> None:
    back_up(api, instance, 0)
    tell(instance, "c1", -5, 50)
    tell(instance, "c2", 80, 90)
    assert reach(api, instance)[1] == "2026-11-22T12:00:50Z"
    back_up(api, instance, 85, "c2")
    assert reach(api, instance) == ("2026-11-22T12:00:01Z", "2026-11-22T12:01:30Z")
    refused = ask(api, instance=instance, to="2026-11-22T12:01:00Z")
    assert refused.status_code == 400
    assert "12:00:50Z and 2026-11-22T12:01:26Z to" in refused.text
    assert ask(api, instance=instance, to="2026-11-22T12:00:20Z").status_code == 200


@pytest.mark.parametrize(
    ("point", "status", "word"),
    [
        ({"to": "2026-11-22T11:59:59Z"}, 400, "to: 2026-11-22T11:59:59Z cannot be brought back"),
        ({"to": "2026-11-22T12:03:21Z"}, 400, "times that can: 2026-11-22T12:00:01Z to"),
        ({"to": "2026-11-22T12:00:10"}, 400, "to: '2026-11-22T12:00:10' has no time zone"),
        ({"to": "2026-11-22T12:00:10.5Z"}, 400, "whole seconds"),
        ({"to": "yesterday"}, 400, "to: 'yesterday' is no time"),
        ({"to": "0001-01-01T00:00:00+23:00"}, 400, "to: "),
        ({}, 400, "instance and to"),
        ({"to": "latest", "instance": "nope"}, 404, "nope"),
        ({"to": "latest", "backupRef": "x"}, 400, "restorePoint"),
    ],
)
def test_what_is_refused(
    api: Api, instance: str, point: dict[str, Any], status: int, word: str
) -> None:
    back_up(api, instance, 0)
    tell(instance, "c1", -5, 200)
    answer = ask(api, **({"instance": instance} | point))
    assert answer.status_code == status, answer.text
    assert word in answer.text


def test_strangers_see_nothing(api: Api, instance: str) -> None:
    back_up(api, instance, 0)
    tell(instance, "c1", -5, 200)
    body = {"instance": WANTED | {"restorePoint": {"instance": instance, "to": "latest"}}}
    assert api.call("POST", "/instances", body, role="stranger", project="p2").status_code == 404


def test_an_instance_goes_back(api: Api, instance: str) -> None:
    made = back_up(api, instance, 0)
    tell(instance, "c1", -5, 200)

    def go(to: str) -> Any:
        return api.call("POST", f"/instances/{instance}/action", {"restore": {"to": to}})

    assert go("2026-11-22T11:00:00Z").status_code == 400
    answer = go("2026-11-22T12:00:30Z")
    assert answer.status_code == 202, answer.text
    assert api.call("GET", f"/instances/{instance}").json["instance"]["status"] == "RESTORE"
    safety = next(row for row in listed(api) if row["id"] != made)
    assert safety["status"] == "NEW"
    assert go("latest").status_code == 422
    assert api.call("DELETE", f"/backups/{made}").status_code == 422
    finish(answer)
    assert [row["status"] for row in listed(api)] == ["COMPLETED", "COMPLETED"]


@pytest.mark.parametrize(("facts", "status"), [({"backup": FACTS}, "COMPLETED"), ({}, "FAILED")])
def test_a_safety_backup_outlives_a_failure(
    api: Api, instance: str, facts: dict[str, Any], status: str
) -> None:
    made = back_up(api, instance, 0)
    tell(instance, "c1", -5, 200)
    answer = api.call("POST", f"/instances/{instance}/action", {"restore": {"to": "latest"}})
    operation = answer.headers["coffer-operation-id"]
    with database.connection_context(), transaction():
        now = Operation.get_by_id(operation).created
        close(operation, State.FAILED, "the gateway is away", None, facts, now)
    assert [row["status"] for row in listed(api) if row["id"] != made] == [status]
    assert api.call("GET", f"/instances/{instance}").json["instance"]["status"] == "ACTIVE"


def listed(api: Api) -> list[dict[str, Any]]:
    return list(api.call("GET", "/backups").json["backups"])
