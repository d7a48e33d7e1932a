"""The conductor: reports of guests, with a real Redis."""

from typing import Any

import falcon.testing
import pytest
from redis import Redis

from api.conductor import create_conductor
from coffer.models import Instance
from coffer.reports import Reports
from coffer.secrets import hash_token


@pytest.fixture
def conductor(instance: Instance, redis: Redis) -> falcon.testing.TestClient:
    Instance.update(guest_token_hash=hash_token("good"), operating_status="").execute()
    return falcon.testing.TestClient(create_conductor(Reports(redis)))


def report(instance: Instance, **changes: Any) -> dict[str, Any]:
    return {
        "protocol": 1,
        "instance_id": instance.id,
        "sequence": 10,
        "state": "HEALTHY",
        "volume": {"size": 1000, "used": 10},
        "users": [{"name": "u", "host": "%", "databases": []}],
        **changes,
    }


def post(conductor: Any, body: Any, token: str | None = "good", **kwargs: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return conductor.simulate_post("/conductor/v1/reports", json=body, headers=headers, **kwargs)


def test_a_report_is_taken(conductor: Any, instance: Instance, redis: Redis) -> None:
    assert post(conductor, report(instance)).status_code == 204
    row = Instance.get_by_id(instance.id)
    assert row.operating_status == "HEALTHY"
    assert row.observed["users"][0]["name"] == "u"
    assert Reports(redis).last([instance.id])[instance.id]["volume"]["used"] == 10


def test_an_unchanged_report_does_not_touch_the_database(
    conductor: Any, instance: Instance
) -> None:
    post(conductor, report(instance))
    before = Instance.get_by_id(instance.id).report_sequence
    assert post(conductor, report(instance, sequence=11)).status_code == 204
    assert Instance.get_by_id(instance.id).report_sequence == before


def test_an_older_report_is_dropped(conductor: Any, instance: Instance) -> None:
    post(conductor, report(instance, sequence=20))
    assert post(conductor, report(instance, sequence=19, state="FAILED")).status_code == 204
    assert Instance.get_by_id(instance.id).operating_status == "HEALTHY"


@pytest.mark.parametrize("token", [None, "bad", ""])
def test_a_token_opens_its_own_instance_only(
    conductor: Any, instance: Instance, token: str | None
) -> None:
    assert post(conductor, report(instance), token).status_code == 401


def test_a_token_does_not_speak_for_another_instance(conductor: Any, instance: Instance) -> None:
    assert post(conductor, report(instance, instance_id="other")).status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "FINE"},
        {"sequence": -1},
        {"sequence": "x"},
        {"volume": {"size": -1}},
        {"users": "all"},
        {"protocol": 0},
        {"message": "x" * 10_000},
    ],
)
def test_malformed_reports_are_refused(conductor: Any, instance: Instance, changes: Any) -> None:
    assert post(conductor, report(instance, **changes)).status_code == 400


def test_a_newer_agents_unknown_keys_are_ignored(conductor: Any, instance: Instance) -> None:
    assert post(conductor, report(instance, protocol=2, mood="good")).status_code == 204


def test_redis_away_is_no_error(instance: Instance) -> None:
    Instance.update(guest_token_hash=hash_token("good")).execute()
    nobody = Reports(Redis.from_url("unix:///nonexistent/redis.sock"))
    conductor = falcon.testing.TestClient(create_conductor(nobody))
    assert post(conductor, report(instance)).status_code == 204
    assert Instance.get_by_id(instance.id).operating_status == "HEALTHY"


def test_a_redis_that_was_started_anew_takes_reports(
    conductor: Any, instance: Instance, redis: Redis
) -> None:
    post(conductor, report(instance))
    redis.flushall()
    redis.script_flush()
    assert post(conductor, report(instance)).status_code == 204
    reports = Reports(redis)
    assert reports.last([instance.id])
    assert reports.age(instance) is not None


def test_hostile_bytes(conductor: Any) -> None:
    for body in (b"\x00" * 100, b"[" * 100_000, b"\xff", b"9" * 5000):
        answer = conductor.simulate_post(
            "/conductor/v1/reports", body=body, headers={"Authorization": "Bearer good"}
        )
        assert answer.status_code == 400
