"""Patch runs through the API: waves, failures, aborts, resumes, and rounds that die in between."""

from datetime import timedelta
from typing import Any

import pytest

from coffer.clock import utcnow
from coffer.database import database
from coffer.models import Backup, Instance, Operation, PatchMember
from tests.api.conftest import Api
from tests.api.fleet import Fleet

FOUR = ("a", "b", "c", "d")


@pytest.fixture
def fleet(api: Api) -> Fleet:
    return Fleet(api)


def test_waves_go_on_by_themselves(fleet: Fleet) -> None:
    fleet.add(*FOUR)
    run = fleet.start(waves="1,50%,100%", canary=fleet.ids["c"])
    # the canary alone first, then as many as were asked for, each when the wave before is over
    assert fleet.under_way() == ["c: instance_patch"]
    fleet.end()
    assert fleet.under_way() == ["a: instance_patch"]
    assert fleet.show(run)["counts"] == {"done": 1, "running": 1, "pending": 2}
    fleet.end()
    assert fleet.under_way() == ["b: instance_patch", "d: instance_patch"]
    fleet.end()
    # then it is done, and says what was
    shown = fleet.show(run)
    assert (shown["state"], shown["actions"], shown["reason"]) == ("done", [], None)
    assert {row["changes"][0]["name"] for row in shown["instances"]} == {"p"}
    (listed,) = fleet.api.call("GET", "/patches").json["patches"]
    assert (listed["id"], "instances" in listed) == (run, False)


def test_replicas_go_before_their_primary(fleet: Fleet) -> None:
    fleet.add("a-primary", "b-other")
    fleet.add("c-replica", "d-replica", source=fleet.ids["a-primary"])
    refused = fleet.post({"selector": {"name": "*"}, "canary": fleet.ids["a-primary"]})
    assert (refused.status_code, "replicas" in refused.text) == (400, True)
    # also in one wave, and a replica that fails saves its primary
    run = fleet.start(waves="100%", max_failures=1)
    first = ["b-other: instance_patch", "c-replica: instance_patch", "d-replica: instance_patch"]
    assert fleet.under_way() == first
    fleet.end("d-replica")
    assert fleet.states(run)["a-primary"] == "skipped"
    assert fleet.act(run, {"resume": {}}).status_code == 202
    fleet.end()
    assert fleet.under_way() == ["a-primary: instance_patch"]


def test_a_round_that_was_never_made_is_made_up_for(fleet: Fleet) -> None:
    # given a run whose worker died after the operation's end, before it told anyone
    fleet.add("a", "b")
    run = fleet.start(waves="1")
    fleet.api.services.patch_rounds.after = lambda _: None  # type: ignore[method-assign]
    fleet.end()
    assert fleet.under_way() == []
    # then the sweeper goes on with it, however often it looks
    for _ in range(3):
        fleet.sweep()
        assert fleet.under_way() == ["b: instance_patch"]
    fleet.end()
    fleet.sweep()
    assert fleet.show(run)["state"] == "done"


def test_failures_stop_a_run_and_it_is_resumed(fleet: Fleet) -> None:
    fleet.add(*FOUR)
    run = fleet.start(waves="2,100%")
    fleet.end("b")
    shown = fleet.show(run)
    assert (shown["state"], shown["actions"]) == ("stopped", ["resume"])
    assert shown["reason"] == "b: instance_patch failed at 'Prove': it broke"
    assert fleet.states(run) == {"a": "done", "b": "failed", "c": "skipped", "d": "skipped"}
    # resumed, it tries what failed, and goes on
    assert fleet.act(run, {"resume": {}}).status_code == 202
    assert fleet.under_way() == ["b: instance_patch"]
    fleet.end()
    fleet.end()
    assert set(fleet.states(run).values()) == {"done"}
    assert fleet.act(run, {"resume": {}}).status_code == 422


def test_as_many_failures_as_are_allowed(fleet: Fleet) -> None:
    fleet.add(*FOUR)
    run = fleet.start(waves="1", max_failures=1)
    fleet.end("a")
    fleet.end()
    assert fleet.show(run)["state"] == "failed"
    assert fleet.states(run) == {"a": "failed", "b": "done", "c": "done", "d": "done"}


def test_a_pause_between_waves(fleet: Fleet) -> None:
    fleet.add("a", "b")
    run = fleet.start(waves="1", pause=300)
    fleet.end()
    shown = fleet.show(run)
    assert (shown["state"], fleet.under_way()) == ("paused", [])
    assert "a pause before wave 2" in shown["reason"]
    fleet.sweep(utcnow() + timedelta(seconds=299))
    assert fleet.under_way() == []
    fleet.sweep(utcnow() + timedelta(seconds=301))
    assert fleet.under_way() == ["b: instance_patch"]


def test_an_abort_takes_back_what_runs(fleet: Fleet) -> None:
    fleet.add(*FOUR)
    run = fleet.start(waves="2")
    with database.connection_context():
        Operation.update(attempt=1, state="running").where(
            Operation.instance == fleet.ids["a"]
        ).execute()
    assert fleet.act(run, {"abort": {}}).json["patch"]["state"] == "aborting"
    # what no worker had is over at once, the other one when it has been taken back
    assert fleet.under_way() == ["a: instance_patch"]
    fleet.end()
    assert fleet.show(run)["state"] == "aborted"
    assert fleet.act(run, {"abort": {}}).status_code == 422
    assert fleet.states(run) == {"a": "failed", "b": "failed", "c": "skipped", "d": "skipped"}
    # an instance is free for another run then
    fleet.start(waves="100%")
    assert len(fleet.under_way()) == 4


def test_one_run_at_a_time_for_an_instance(fleet: Fleet) -> None:
    fleet.add("a", "b")
    run = fleet.start()
    answer = fleet.post({"instances": [fleet.ids["b"]]})
    assert (answer.status_code, run in answer.text) == (422, True), answer.text
    # but what would change can be asked at any time
    plan = fleet.start(does="plan", waves="100%")
    assert fleet.under_way() == ["a: instance_patch", "b: instance_patch_plan"]
    fleet.end()
    fleet.sweep()
    fleet.end()
    assert fleet.show(plan)["state"] == "done"


def test_an_instance_without_a_fresh_backup_is_backed_up_first(fleet: Fleet) -> None:
    fleet.add("a", "b")
    run = fleet.start(waves="100%", backup=True)
    assert fleet.under_way() == ["a: backup_create", "b: backup_create"]
    fleet.end("b")
    # one without a backup is not patched
    assert (fleet.under_way(), fleet.states(run)["b"]) == (["a: instance_patch"], "failed")
    fleet.end()
    assert fleet.show(run)["state"] == "failed"
    # a fresh one serves again, an old one does not
    fleet.start(instances=[fleet.ids["a"]], selector=None, backup=True)
    assert fleet.under_way() == ["a: instance_patch"]
    fleet.end()
    with database.connection_context():
        Backup.update(created=utcnow() - timedelta(hours=25)).execute()
    fleet.start(instances=[fleet.ids["a"]], selector=None, backup=True)
    assert fleet.under_way() == ["a: backup_create"]


def test_a_busy_instance_is_waited_for_and_a_broken_one_fails(fleet: Fleet) -> None:
    fleet.add("a", "b", "gone")
    restart = f"/instances/{fleet.ids['a']}/action"
    fleet.api.call("POST", restart, {"restart": {}})
    with database.connection_context():
        Instance.update(operating_status="CRASHED").where(Instance.name == "b").execute()
    run = fleet.start(waves="2,100%", max_failures=1)
    with database.connection_context():
        Instance.update(deleted=utcnow()).where(Instance.name == "gone").execute()
    assert fleet.states(run) == {"a": "pending", "b": "failed", "gone": "pending"}
    problems = {row["instance"]: row["problem"] for row in fleet.show(run)["instances"]}
    assert "waits for instance_restart" in problems["a"]
    assert "CRASHED" in problems["b"]
    fleet.end()
    fleet.sweep()
    assert fleet.under_way() == ["a: instance_patch"]
    fleet.end()
    assert fleet.states(run) == {"a": "done", "b": "failed", "gone": "skipped"}


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({}, 400, "either instances or a selector"),
        ({"instances": ["x"], "selector": {"engine": "mysql"}}, 400, "either"),
        ({"instances": []}, 400, "instances"),
        ({"instances": ["nope"]}, 400, "nope"),
        ({"selector": {}}, 400, "at least one of"),
        ({"selector": {"colour": "red"}}, 400, "colour"),
        ({"selector": {"engine": "oracle"}}, 400, "no instance has engine=oracle"),
        ({"selector": {"name": "z*"}}, 400, "no instance has name=z*"),
        ({"selector": {"engine": "mysql", "project": "p2"}}, 403, "administrator"),
        ({"selector": {"engine": "mysql"}, "waves": "0"}, 400, "waves"),
        ({"selector": {"engine": "mysql"}, "canary": "nope"}, 400, "canary"),
        ({"selector": {"engine": "mysql"}, "pause": -1}, 400, "pause"),
        ({"selector": {"engine": "mysql"}, "packages": "some"}, 400, "packages"),
    ],
)
def test_runs_that_are_none(fleet: Fleet, body: dict[str, Any], status: int, word: str) -> None:
    fleet.add("a")
    answer = fleet.post(body)
    assert (answer.status_code, word in answer.text) == (status, True), answer.text
    with database.connection_context():
        assert PatchMember.select().count() == 0


def test_projects(fleet: Fleet) -> None:
    fleet.add("a")
    fleet.add("other", project="p2")
    answer = fleet.post({"selector": {"project": "*"}, "waves": "100%"}, role="admin")
    run = answer.json["patch"]
    assert [row["instance"] for row in run["instances"]] == ["a", "other"]
    see: dict[str, Any] = {"role": "stranger", "project": "p2"}
    assert fleet.api.call("GET", "/patches", **see).json["patches"] == []
    assert fleet.api.call("GET", f"/patches/{run['id']}", **see).status_code == 404
    path = f"/patches/{run['id']}/action"
    assert fleet.api.call("POST", path, {"abort": {}}, role="reader").status_code == 403


def test_a_rehearsal_leaves_the_instance_alone(fleet: Fleet) -> None:
    fleet.add("a", "b")
    # without a backup one is made first, and then its guest is the one that is patched
    run = fleet.start(does="rehearse", waves="100%")
    assert fleet.under_way() == ["a: backup_create", "b: backup_create"]
    fleet.end()
    (guest,) = fleet.under_way()
    assert guest.startswith("rehearse-")
    states = sorted(fleet.states(run).values())
    assert states == ["pending", "running"], "one at a time"
    # it is in nobody's way
    fleet.start(waves="100%")
    assert len(fleet.under_way()) == 3
    fleet.end()
    fleet.sweep()
    fleet.end()
    fleet.sweep()
    shown = fleet.show(run)
    assert (shown["state"], shown["does"]) == ("done", "rehearse")
    with database.connection_context():
        kinds = [row.kind for row in Operation.select().where(Operation.kind == "patch_rehearse")]
        assert len(kinds) == 2
        assert Instance.select().where(Instance.deleted.is_null()).count() == 2
