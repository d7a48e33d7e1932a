"""The audit: every change, what came of it, and one id from the client on."""

from typing import Any

import pytest

from coffer.database import database
from coffer.models import AuditRecord, Operation

REQUEST = "req-12345678-1234-4234-8234-123456789abc"


def log(api: Any, query: str = "") -> Any:
    return api.call("GET", "/audit", role="admin", query_string=query).json["audit"]


def test_a_change_and_its_outcome(api: Any, wish: Any) -> None:
    made = api.call("POST", "/instances", wish)
    (row,) = log(api)
    assert row["operation_id"] == made.headers["coffer-operation-id"]
    assert (row["user"], row["roles"], row["status"]) == ("member", "member", 200)
    assert (row["method"], row["path"]) == ("POST", "/v1.0/p1/instances")
    assert (row["address"], row["outcome"]) == ("127.0.0.1", "queued")
    with database.connection_context():
        Operation.update(state="failed").execute()
    assert log(api)[0]["outcome"] == "failed"


def test_refusals_are_recorded_and_reads_are_not(api: Any, wish: Any) -> None:
    api.call("GET", "/instances")
    api.call("POST", "/instances", wish, role="reader")
    api.call("POST", "/instances", {"instance": {}})
    api.call("POST", "/instances", wish, role=None)
    assert [(row["status"], row["outcome"]) for row in log(api)] == [
        (400, "refused"),
        (403, "refused"),
    ]


def test_no_body_is_recorded(api: Any, wish: Any) -> None:
    wish["instance"]["users"][0]["password"] = "nobody-may-read-this"
    api.call("POST", "/instances", wish)
    assert "nobody-may-read-this" not in str(log(api))


def test_a_crash_leaves_what_was_asked(api: Any, wish: Any, monkeypatch: Any) -> None:
    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(api.services.instances), "create", die)
    with pytest.raises(KeyboardInterrupt):
        api.call("POST", "/instances", wish)
    (row,) = log(api)
    assert (row["status"], row["outcome"]) == (None, "unknown")


def test_one_id_from_the_client_to_the_operation(api: Any, wish: Any) -> None:
    made = api.call("POST", "/instances", wish, headers={"X-OpenStack-Request-Id": REQUEST})
    assert made.headers["x-openstack-request-id"] == REQUEST
    with database.connection_context():
        assert Operation.get().request_id == REQUEST
    assert [row["request_id"] for row in log(api, f"request_id={REQUEST}")] == [REQUEST]
    strange = api.call("GET", "/instances", headers={"X-OpenStack-Request-Id": "x\ty"})
    assert strange.headers["x-openstack-request-id"].startswith("req-")


def test_who_may_read_it(api: Any, wish: Any) -> None:
    api.call("POST", "/instances", wish, role="stranger", project="p2")
    assert api.call("GET", "/audit").status_code == 403
    assert log(api) == []
    assert [row["project_id"] for row in log(api, "all_projects=true")] == ["p2"]


def test_a_client_cannot_hide_where_it_is(api: Any, wish: Any) -> None:
    api.call("POST", "/instances", wish, headers={"X-Forwarded-For": "192.0.2.7"})
    assert log(api)[0]["address"] == "192.0.2.7 via 127.0.0.1"


def test_an_answer_counts_once(api: Any, wish: Any) -> None:
    from coffer.audit import answered

    api.call("POST", "/instances", wish)
    with database.connection_context():
        answered(AuditRecord.get().id, 500, None)
    assert log(api)[0]["status"] == 200
