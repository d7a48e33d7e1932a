"""Maintenance windows through the API, and runs that keep to them."""

from datetime import timedelta
from typing import Any

import pytest

from coffer.clock import utcnow
from tests.api.conftest import Api
from tests.api.fleet import Fleet

EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@pytest.fixture
def fleet(api: Api) -> Fleet:
    return Fleet(api)


def put(api: Api, hours: int, **more: Any) -> Any:
    """A window of an hour that opens that many whole hours from now."""
    opens = utcnow() + timedelta(hours=hours)
    day, start = f"{opens:%a}".lower(), f"{opens:%H}:00"
    wanted = {"days": [day], "start": start, "minutes": 60, **more}
    return api.call("POST", "/maintenance_windows", {"maintenance_window": wanted})


def test_life_of_a_window(fleet: Fleet) -> None:
    fleet.add("a")
    api, path = fleet.api, "/maintenance_windows"
    default = put(api, 3).json["maintenance_window"]
    assert (default["instance_id"], default["open"]) == (None, False)
    own = put(api, 0, instance=fleet.ids["a"]).json["maintenance_window"]
    assert (own["instance_id"], own["open"]) == (fleet.ids["a"], True)
    again = put(api, 5, instance=fleet.ids["a"]).json["maintenance_window"]
    assert (again["id"], again["open"]) == (own["id"], False)
    assert len(api.call("GET", path).json["maintenance_windows"]) == 2
    see: dict[str, Any] = {"role": "stranger", "project": "p2"}
    assert api.call("GET", path, **see).json["maintenance_windows"] == []
    assert api.call("DELETE", f"{path}/{own['id']}", **see).status_code == 404
    assert api.call("DELETE", f"{path}/{own['id']}").status_code == 202
    assert api.call("GET", f"{path}/{own['id']}").status_code == 404


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"days": []}, 400, "days"),
        ({"days": ["someday"]}, 400, "days"),
        ({"start": "24:00"}, 400, "start"),
        ({"minutes": 0}, 400, "minutes"),
        ({"instance": "nope"}, 404, "nope"),
    ],
)
def test_windows_that_are_none(api: Api, change: Any, status: int, word: str) -> None:
    answer = put(api, 1, **change)
    assert (answer.status_code, word in answer.text) == (status, True), answer.text


def test_a_run_waits_for_each_instances_window(fleet: Fleet) -> None:
    # given a project whose window is closed, and an instance with an open one
    fleet.add("a", "b", "c")
    put(fleet.api, 5)
    put(fleet.api, 2, instance=fleet.ids["b"])
    put(fleet.api, 0, instance=fleet.ids["c"], minutes=1440, days=EVERY_DAY)
    # then that one begins at once, and the run waits for the others, one after another
    run = fleet.start(waves="100%")
    assert fleet.under_way() == ["c: instance_patch"]
    assert fleet.show(run)["state"] == "running"
    fleet.end()
    shown = fleet.show(run)
    assert (shown["state"], shown["actions"]) == ("waiting", ["abort"])
    assert "b waits for its maintenance window" in shown["reason"]
    fleet.sweep(utcnow() + timedelta(hours=2))
    assert fleet.under_way() == ["b: instance_patch"]
    fleet.end()
    fleet.sweep(utcnow() + timedelta(hours=5))
    assert fleet.under_way() == ["a: instance_patch"]
    fleet.end()
    assert fleet.show(run)["state"] == "done"


def test_force_overrides_windows(fleet: Fleet) -> None:
    fleet.add("a", "b")
    put(fleet.api, 5)
    run = fleet.start(instances=[fleet.ids["a"]], selector=None)
    assert fleet.under_way() == []
    assert fleet.act(run, {"resume": {}}).status_code == 422
    assert fleet.act(run, {"resume": {"force": True}}).json["patch"]["force"]
    fleet.start(instances=[fleet.ids["b"]], selector=None, force=True)
    assert fleet.under_way() == ["a: instance_patch", "b: instance_patch"]
    # to look is allowed at any time
    fleet.end()
    fleet.start(does="plan", waves="100%")
    assert fleet.under_way() == ["a: instance_patch_plan", "b: instance_patch_plan"]
