"""The alerts ask for metrics that there are, and each has its chapter in the runbook."""

import re
from datetime import timedelta
from typing import Any

import yaml

from coffer.clock import utcnow
from coffer.database import database
from coffer.models import Instance, Operation
from coffer.paths import ROLES
from tests.api.conftest import Api
from tests.api.test_backups import done, instance

__all__ = ["instance"]

FILE = ROLES / "control_plane/files/alerts.yml"
RUNBOOK = ROLES.parent / "docs/runbook.md"


def values(api: Api, name: str) -> dict[str, float]:
    """The metric's values by what stands between its braces."""
    lines = api.client.simulate_get("/metrics").text.splitlines()
    found = (re.fullmatch(rf"{name}(?:{{(.*)}})? (\S+)", line) for line in lines)
    return {match[1] or "": float(match[2]) for match in found if match}


def rules() -> Any:
    (group,) = yaml.safe_load(FILE.read_text())["groups"]
    return group["rules"]


def test_every_metric_is_there(api: Api) -> None:
    said = api.client.simulate_get("/metrics").text
    for rule in rules():
        for name in re.findall(r"coffer_\w+", rule["expr"]):
            assert f"# TYPE {name} gauge" in said, f"{rule['alert']}: {name}"


def test_every_alert_is_in_the_runbook() -> None:
    text = RUNBOOK.read_text()
    assert [rule["alert"] for rule in rules() if f"`{rule['alert']}`" not in text] == []


def test_an_instance(api: Api, instance: str) -> None:
    assert list(values(api, "coffer_instance_healthy").values()) == [1]
    assert list(values(api, "coffer_instance_last_backup_timestamp_seconds").values()) == [0]
    with database.connection_context():
        Instance.update(operating_status="ERROR").execute()
    assert list(values(api, "coffer_instance_healthy").values()) == [0]
    with database.connection_context():
        Instance.update(operating_status="HEALTHY").execute()
    done(api, instance)
    (made,) = values(api, "coffer_instance_last_backup_timestamp_seconds").values()
    assert made > 1e9


def test_what_waits(api: Api, instance: str) -> None:
    name = "coffer_operation_queued_since_timestamp_seconds"
    assert values(api, name) == {}
    api.call("POST", f"/instances/{instance}/action", {"restart": {}})
    (before,) = values(api, name).values()
    with database.connection_context():
        Operation.update(created=utcnow() - timedelta(hours=1)).where(
            Operation.state == "queued"
        ).execute()
    assert before - values(api, name)['queue="fast"'] > 3000


def test_disks(api: Api) -> None:
    free, size = values(api, "coffer_disk_free_bytes"), values(api, "coffer_disk_size_bytes")
    assert 0 < free['holds="records"'] < size['holds="records"']
