"""Backup strategies: remembered, of the own project."""

from typing import Any

import pytest

PATH = "/backup_strategies"


def put(api: Any, project: str = "p1", role: str = "member", **more: Any) -> Any:
    body = {"backup_strategy": {"swift_container": "c1", **more}}
    return api.call("POST", PATH, body, role=role, project=project)


def listed(api: Any, query: str = "", **more: Any) -> Any:
    return api.call("GET", PATH + query, **more).json["backup_strategies"]


def test_one_for_the_project_and_one_for_an_instance(api: Any, wish: Any) -> None:
    made = api.call("POST", "/instances", wish).json["instance"]["id"]
    expected = {"project_id": "p1", "instance_id": "", "backend": "swift", "swift_container": "c1"}
    answer = put(api)
    assert (answer.status_code, answer.json["backup_strategy"]) == (202, expected)
    assert put(api, instance_id=made).status_code == 202
    put(api, swift_container="c2")
    assert [row["swift_container"] for row in listed(api)] == ["c2", "c1"], "replaced"
    assert [row["instance_id"] for row in listed(api, f"?instance_id={made}")] == [made]
    assert api.call("DELETE", PATH).status_code == 202
    assert api.call("DELETE", PATH).status_code == 202, "also if there is none"
    assert [row["instance_id"] for row in listed(api)] == [made]


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"instance_id": "no such"}, 404),
        ({"swift_container": ""}, 400),
        ({"swift_container": None}, 400),
        ({"colour": "red"}, 400),
    ],
)
def test_refusals(api: Any, more: Any, status: int) -> None:
    assert put(api, **more).status_code == status


def test_projects_are_apart(api: Any) -> None:
    put(api)
    assert listed(api, role="stranger", project="p2") == []
    theirs = f"{PATH}?project_id=p1"
    for method in ("GET", "DELETE"):
        answer = api.call(method, theirs, role="stranger", project="p2")
        assert answer.status_code == 403
    assert put(api, role="reader").status_code == 403
    assert len(listed(api, "?project_id=p1", role="admin")) == 1
