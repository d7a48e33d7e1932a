"""Schedules of backups through the API, and the sweeper's rounds under a clock of our own."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from coffer.backup_ends import COMPLETED
from coffer.clock import utcnow
from coffer.database import database, transaction
from coffer.lifecycle import close
from coffer.models import Backup, Instance, Operation, Schedule
from coffer.operations import ACTIVE_STATES, State
from coffer.timetables import Timetable
from tests.api.conftest import Api
from tests.api.test_backups import FACTS, instance, make, show
from worker.context import Context, make_context
from worker.sweeper import begin_scheduled, retire_scheduled

__all__ = ["instance"]

HOUR = timedelta(hours=1)


def put(api: Api, cron: str = "hourly", **more: Any) -> Any:
    body = {"backup_schedule": {"cron": cron, **more}}
    return api.call("POST", "/backup_schedules", body)


@pytest.fixture
def context(api: Api) -> Context:
    return make_context(api.services.settings, api.services.dispatcher._redis)


class Rounds:
    """The sweeper at moments that we choose, with a worker that is done at once."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def at(self, now: datetime) -> int:
        """How many backups a round begins; they succeed."""
        with database.connection_context():
            begin_scheduled(self.context, now)
            rows = list(Operation.select().where(Operation.state.in_(ACTIVE_STATES)))
        for row in rows:
            self.end(row, now)
        with database.connection_context():
            retire_scheduled(self.context, now)
        return len(rows)

    @staticmethod
    def end(row: Operation, now: datetime, state: State = State.SUCCEEDED) -> None:
        with database.connection_context(), transaction():
            close(row.id, state, None, None, {"backup": FACTS}, now)
            Backup.update(created=now).where(Backup.operation_id == row.id).execute()

    @staticmethod
    def deletions() -> list[Operation]:
        with database.connection_context():
            return list(Operation.select().where(Operation.kind == "backup_delete"))


@pytest.fixture
def rounds(context: Context) -> Rounds:
    return Rounds(context)


def begins(instance: str, cron: str = "hourly", after: datetime | None = None) -> datetime:
    return Timetable(cron, after or utcnow()).following(instance)


def test_life_of_a_schedule(api: Api, instance: str) -> None:
    assert api.call("GET", "/backup_schedules").json == {"backup_schedules": []}
    default = put(api, "daily").json["backup_schedule"]
    assert (default["instance_id"], default["keep"]) == (None, {"daily": 7, "weekly": 4})
    own = put(api, "0 5 * * *", instance=instance, keep={"last": 3}, method="logical")
    assert own.status_code == 200, own.text
    row = own.json["backup_schedule"]
    assert (row["instance_id"], row["keep"], row["method"]) == (instance, {"last": 3}, "logical")
    assert row["next_run"] is not None
    again = put(api, "weekly", instance=instance).json["backup_schedule"]
    assert (again["id"], again["method"]) == (row["id"], None)
    assert len(api.call("GET", "/backup_schedules").json["backup_schedules"]) == 2
    only = api.call("GET", f"/backup_schedules?instance_id={instance}").json["backup_schedules"]
    path = f"/backup_schedules/{row['id']}"
    assert only == [api.call("GET", path).json["backup_schedule"]]
    assert api.call("DELETE", path).status_code == 202
    assert api.call("GET", path).status_code == 404


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"cron": "sometimes"}, 400, "cron"),
        ({"cron": "0 0 30 2 *"}, 400, "cron"),
        ({"keep": {"last": -1}}, 400, "keep"),
        ({"keep": {"often": 1}}, 400, "often"),
        ({"method": "magic"}, 400, "method"),
        ({"instance": "nope"}, 404, "nope"),
    ],
)
def test_what_is_refused(api: Api, change: dict[str, Any], status: int, word: str) -> None:
    answer = put(api, **{"cron": "daily", **change})
    assert answer.status_code == status, answer.text
    assert word in answer.text
    assert put(api, "hourly").status_code == 200


def test_strangers_and_readers(api: Api, instance: str) -> None:
    made = put(api, instance=instance).json["backup_schedule"]["id"]
    see: dict[str, Any] = {"role": "stranger", "project": "p2"}
    assert api.call("GET", "/backup_schedules", **see).json["backup_schedules"] == []
    assert api.call("DELETE", f"/backup_schedules/{made}", **see).status_code == 404
    assert api.call("DELETE", f"/backup_schedules/{made}", role="reader").status_code == 403


def test_backups_are_made_when_it_is_time(api: Api, instance: str, rounds: Rounds) -> None:
    put(api, "hourly")
    first = begins(instance)
    assert rounds.at(first - timedelta(seconds=1)) == 0
    assert rounds.at(first) == 1
    assert rounds.at(first + timedelta(seconds=5)) == 0
    # what was missed is caught up once
    late = begins(instance, after=first + 10 * HOUR)
    assert rounds.at(late) == 1
    assert rounds.at(late + timedelta(seconds=5)) == 0
    assert rounds.at(begins(instance, after=late)) == 1
    (row, *_) = api.call("GET", "/backups").json["backups"]
    assert row["name"].startswith("db1-20")
    assert api.call("GET", "/audit", role="admin").status_code == 200


def test_never_two_at_a_time(api: Api, instance: str, context: Context) -> None:
    put(api, "hourly", instance=instance)
    assert make(api, instance).status_code == 202
    first = begins(instance)
    with database.connection_context():
        begin_scheduled(context, first)
        assert Backup.select().count() == 1
        Operation.update(state="failed", lock=None).execute()
        Instance.update(task=None).execute()
        begin_scheduled(context, first + timedelta(seconds=5))
        assert Backup.select().where(Backup.scheduled).count() == 1


def test_an_instance_has_its_own_or_none(api: Api, instance: str, rounds: Rounds) -> None:
    put(api, "hourly")
    put(api, "never", instance=instance)
    assert rounds.at(begins(instance)) == 0
    with database.connection_context():
        Schedule.delete().where(Schedule.target == instance).execute()
    assert rounds.at(begins(instance)) == 1


def test_what_the_rules_keep(api: Api, instance: str, rounds: Rounds) -> None:
    put(api, "hourly", keep={"last": 2})
    by_hand = make(api, instance).json["backup"]["id"]
    now = utcnow()
    rounds.end(Operation.get(Operation.kind == "backup_create"), now)
    for _ in range(3):
        now = begins(instance, after=now)
        assert rounds.at(now) == 1
    # the oldest goes by the same operation as by hand; what a person made stays
    (deletion,) = rounds.deletions()
    assert len(deletion.parameters["coffer_backups"]) == 1
    rounds.end(deletion, now)
    with database.connection_context():
        assert Backup.select().where(Backup.scheduled).count() == 2
    assert show(api, by_hand)["status"] == COMPLETED
    # what is proven last stays as well, and what somebody builds upon
    with database.connection_context():
        oldest, newer = Backup.select().where(Backup.scheduled).order_by(Backup.created)
        Backup.update(verified=True).where(Backup.id == oldest.id).execute()
    put(api, "hourly", keep={"last": 1})
    with database.connection_context():
        retire_scheduled(rounds.context, now)
    assert len(rounds.deletions()) == 1
    assert show(api, oldest.id)["verified"]
    assert show(api, newer.id)["status"] == COMPLETED
