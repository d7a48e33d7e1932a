"""The checkup: a part that does not work is told with what mends it, and hides no other one."""

from datetime import timedelta
from typing import Any

from coffer.checkup import CHECKS
from coffer.clock import utcnow
from coffer.database import database
from coffer.models import Instance, Operation
from tests.api.test_backups import done, instance

__all__ = ["instance"]


def findings(api: Any) -> dict[str, Any]:
    answer = api.call("GET", "/checkup", role="admin")
    assert answer.status_code == 200, answer.text
    return {row["part"]: row for row in answer.json["checkup"]}


def test_every_part_is_looked_at_though_nothing_answers(api: Any) -> None:
    found = findings(api)
    assert list(found) == list(CHECKS)
    for part in ("workers", "scheduler", "conductor", "gateway", "authority"):
        assert found[part]["health"] == "trouble", part
        assert found[part]["remedy"], part
    for part in ("queues", "disks", "instances", "operations", "backups", "proofs"):
        assert (found[part]["health"], found[part]["remedy"]) == ("ok", ""), part


def test_only_an_administrator_asks(api: Any) -> None:
    assert api.call("GET", "/checkup").status_code == 403


def test_an_old_instance_without_a_backup(api: Any, instance: str) -> None:
    with database.connection_context():
        Instance.update(created=utcnow() - timedelta(days=40)).execute()
    found = findings(api)
    assert [found[part]["health"] for part in ("backups", "proofs")] == ["warning", "warning"]
    assert "db1" in found["backups"]["message"]
    done(api, instance)
    found = findings(api)
    assert [found[part]["health"] for part in ("backups", "proofs")] == ["ok", "warning"]


def test_what_is_ill_failed_and_waits(api: Any, instance: str) -> None:
    now = utcnow()
    with database.connection_context():
        Instance.update(operating_status="ERROR").execute()
        Operation.update(state="failed", ended=now).execute()
    api.call("POST", f"/instances/{instance}/action", {"restart": {}})
    found = findings(api)
    assert "db1" in found["instances"]["message"]
    assert found["operations"]["message"].startswith("1 ")
    assert found["queues"]["health"] == "ok"
    with database.connection_context():
        Operation.update(
            state="queued", lock=instance, created=now - timedelta(minutes=11)
        ).execute()
    assert findings(api)["queues"]["health"] == "warning"
