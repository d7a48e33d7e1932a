"""Quotas: exact under concurrency, shown and set as Trove does."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from coffer.callers import Caller
from coffer.catalogue import Catalogue
from coffer.database import database
from coffer.dispatch import Dispatcher
from coffer.errors import OverLimit
from coffer.instances import Instances, Wish
from coffer.models import DatastoreVersion, Instance, Operation
from coffer.quotas import Quotas
from coffer.redis_urls import connect_redis
from coffer.secrets import Vault
from coffer.settings import Settings

QUOTA = 10


def usage(api: Any, project: str = "p1", role: str = "member") -> dict[str, Any]:
    rows = api.call("GET", f"/mgmt/quotas/{project}", role=role).json["quotas"]
    return {row["resource"]: row for row in rows}


def ready() -> None:
    """As if every creation had ended well."""
    with database.connection_context():
        Operation.update(state="succeeded", lock=None).execute()
        Instance.update(state="ACTIVE", task=None, operating_status="HEALTHY").execute()


def test_parallel_creates_never_pass_the_quota(records: DatastoreVersion, tmp_path: Path) -> None:
    """50 at once against a quota of 10: exactly 10, whatever the database."""
    catalogue, key = Catalogue("local"), tmp_path / "keys"
    key.write_text("fsXIwd8yOAV1y9vTFcFz0gEjxkPF4m5KJ1RdN3PYq3Y=")
    dispatcher = Dispatcher(connect_redis(f"unix://{tmp_path}/nobody.sock"))
    quotas = Quotas(Settings(quota_instances=QUOTA), catalogue)
    instances = Instances(catalogue, Vault.from_file(str(key)), dispatcher, quotas)

    def create(number: int) -> bool:
        wish = Wish(name=f"db{number}", version=records, flavor_id="small", volume_size=1)
        with database.connection_context():
            try:
                instances.create(wish, Caller("p1", "u", "req-1"))
            except OverLimit:
                return False
        return True

    database.close()
    with ThreadPoolExecutor(50) as pool:
        granted = list(pool.map(create, range(50)))
    with database.connection_context():
        assert (granted.count(True), Instance.select().count()) == (QUOTA, QUOTA)
        assert Operation.select().count() == QUOTA


def test_what_is_over_a_quota_is_refused_and_leaves_nothing(api: Any, wish: Any) -> None:
    for limits, word in (
        ({"instances": 0}, "instances"),
        ({"instances": 5, "volumes": 0}, "volumes"),
    ):
        api.call("PUT", "/mgmt/quotas/p1", {"quotas": limits}, role="admin")
        answer = api.call("POST", "/instances", wish)
        assert answer.status_code == 413
        assert word in answer.json["overLimit"]["message"]
    with database.connection_context():
        assert not Instance.select().exists()
        assert not Operation.select().exists()


def test_use_is_counted_and_given_back(api: Any, wish: Any) -> None:
    made = api.call("POST", "/instances", wish).json["instance"]["id"]
    shown = usage(api)
    assert shown["instances"] == {"resource": "instances", "in_use": 1, "reserved": 0, "limit": 100}
    assert shown["volumes"]["in_use"] == 1
    assert shown["ram"]["in_use"] > 0
    assert shown["ram"]["limit"] == -1
    with database.connection_context():
        Instance.update(deleted="2026-01-01 00:00:00").where(Instance.id == made).execute()
    assert usage(api)["instances"]["in_use"] == 0


def test_resizing_takes_of_the_quotas(api: Any, wish: Any) -> None:
    made = api.call("POST", "/instances", wish).json["instance"]["id"]
    ready()
    ram = usage(api)["ram"]["in_use"]
    limits = {"quotas": {"volumes": 2, "ram": ram}}
    api.call("PUT", "/mgmt/quotas/p1", limits, role="admin")
    path = f"/instances/{made}/action"
    assert api.call("POST", path, {"resize": {"volume": {"size": 3}}}).status_code == 413
    assert api.call("POST", path, {"resize": {"flavorRef": "medium"}}).status_code == 413
    assert api.call("POST", path, {"resize": {"flavorRef": "tiny"}}).status_code in (202, 400)
    ready()
    assert api.call("POST", path, {"resize": {"volume": {"size": 2}}}).status_code == 202
    assert usage(api)["volumes"]["reserved"] == 1
    wish["instance"]["name"] = "db2"
    assert api.call("POST", "/instances", wish).status_code == 413


def test_who_may_see_and_set(api: Any) -> None:
    assert api.call("GET", "/mgmt/quotas/p1", role="reader").status_code == 200
    assert api.call("GET", "/mgmt/quotas/p2", role="member").status_code == 403
    assert usage(api, "p2", "admin")["instances"]["in_use"] == 0
    body = {"quotas": {"instances": 1}}
    assert api.call("PUT", "/mgmt/quotas/p1", body, role="member").status_code == 403


@pytest.mark.parametrize(
    ("quotas", "status"),
    [
        ({"instances": 50}, 200),
        ({}, 200),
        ({"instances": None, "ram": 5}, 200),
        ({"instances": -2}, 400),
        ({"instances": "many"}, 400),
        ({"cows": 5}, 404),
    ],
)
def test_setting_quotas(api: Any, quotas: dict[str, Any], status: int) -> None:
    answer = api.call("PUT", "/mgmt/quotas/p2", {"quotas": quotas}, role="admin")
    assert answer.status_code == status, answer.text
    if status == 200:
        assert answer.json["quotas"] == {key: row for key, row in quotas.items() if row is not None}


def test_absolute_limits_come_first(api: Any) -> None:
    api.call("PUT", "/mgmt/quotas/p1", {"quotas": {"instances": 7}}, role="admin")
    first = api.call("GET", "/limits", role="reader").json["limits"][0]
    assert first == {
        "verb": "ABSOLUTE",
        "max_instances": 7,
        "max_ram": -1,
        "max_volumes": 1000,
        "max_backups": 500,
    }
