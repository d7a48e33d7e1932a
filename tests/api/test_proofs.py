"""Verification of backups through the API, and the drill."""

from datetime import timedelta
from typing import Any

from coffer.clock import utcnow
from coffer.database import database, transaction
from coffer.lifecycle import close
from coffer.models import Backup, Instance, Operation, Secret
from coffer.operations import State
from tests.api.conftest import Api
from tests.api.test_backups import done, instance, make, show
from worker.context import Context, make_context
from worker.drill import hold
from worker.sweeper import clear_scratch

__all__ = ["instance"]

VERIFY = {"verify": {}}


def ask(api: Api, backup: str, **who: Any) -> Any:
    return api.call("POST", f"/backups/{backup}/action", VERIFY, **who)


def end(operation: str, state: State, reason: str | None = None) -> None:
    with database.connection_context(), transaction():
        close(operation, state, reason, None, {}, utcnow())


def test_a_proof_is_seen_everywhere(api: Api, instance: str) -> None:
    backup = done(api, instance)
    path = f"/instances/{instance}"
    assert "last_proven_restorable" not in api.call("GET", path).json["instance"]
    answer = ask(api, backup)
    assert (answer.status_code, answer.text) == (202, "")
    operation = answer.headers["coffer-operation-id"]

    # the guest is in nobody's lists and takes of nobody's quota
    assert [row["id"] for row in api.call("GET", "/instances").json["instances"]] == [instance]
    with database.connection_context():
        guest = Operation.get_by_id(operation).instance
        assert api.services.quotas.usage("p1")[0].in_use == 1
        variables = api.services.inventory.host_vars(guest)
    assert variables["coffer_allowed_cidrs"] == ["127.0.0.1/32"]
    assert api.call("GET", f"/instances/{guest.id}").status_code == 404
    assert api.call("GET", path).json["instance"]["status"] == "ACTIVE"
    assert ask(api, backup).status_code == 422
    assert api.call("DELETE", f"/backups/{backup}").status_code == 422

    end(operation, State.SUCCEEDED)
    shown = show(api, backup)
    assert (shown["verified"], shown["verify_reason"]) == (True, None)
    for row in (api.call("GET", path).json["instance"], *listed(api)):
        assert row["last_proven_restorable"] == shown["created"]
    name = "coffer_instance_last_proven_restorable_timestamp_seconds"
    line = next(row for row in metrics(api) if row.startswith(name + "{") and instance in row)
    assert float(line.split()[-1]) > 1e9
    with database.connection_context():
        assert not Secret.select().where(Secret.instance == guest).exists()


def listed(api: Api) -> Any:
    return api.call("GET", "/instances").json["instances"]


def metrics(api: Api) -> list[str]:
    return api.client.simulate_get("/metrics").text.splitlines()


def test_what_could_not_be_restored_says_why(api: Api, instance: str) -> None:
    backup = done(api, instance)
    end(ask(api, backup).headers["coffer-operation-id"], State.SUCCEEDED)
    end(ask(api, backup).headers["coffer-operation-id"], State.ABORTED, "aborted by the user")
    assert show(api, backup)["verified"] is True
    again = ask(api, backup).headers["coffer-operation-id"]
    end(again, State.FAILED, "app.t is missing")
    shown = show(api, backup)
    assert (shown["verified"], shown["verify_reason"]) == (False, "app.t is missing")
    assert "last_proven_restorable" not in listed(api)[0]


def test_what_cannot_be_verified(api: Api, instance: str) -> None:
    unfinished = make(api, instance).json["backup"]["id"]
    assert ask(api, unfinished).status_code == 409
    assert ask(api, "nope").status_code == 404
    assert ask(api, unfinished, role="reader").status_code == 403
    assert api.call("POST", f"/backups/{unfinished}/action", {}).status_code == 400


def test_nothing_is_read_from_where_something_is_deleted(api: Api, instance: str) -> None:
    first, second = done(api, instance), done(api, instance)
    assert api.call("DELETE", f"/backups/{first}").status_code == 202
    assert ask(api, second).status_code == 409


def working(api: Api) -> Context:
    return make_context(api.services.settings, api.services.dispatcher._redis)


def test_the_drill_tries_what_nobody_has_tried(api: Api, instance: str) -> None:
    done(api, instance)
    newest = done(api, instance)
    context, now = working(api), utcnow()
    later = now + timedelta(hours=2)
    with database.connection_context():
        assert hold(context, now) is None, "a young backup is left alone"
        begun = hold(context, later)
        assert begun is not None
        assert begun.parameters["coffer_backup"]["id"] == newest
        assert begun.user == "drill"
        assert hold(context, later) is None, "one at a time"
    end(begun.id, State.SUCCEEDED)
    with database.connection_context():
        assert hold(context, later) is None, "it is proven"
        Backup.update(verified=None).execute()
        Operation.update(created=later).execute()
        assert hold(context, later) is not None
        Operation.update(state="succeeded", user="drill", kind="backup_verify").execute()
        assert hold(context, later) is None, "enough for a week"
        assert hold(context, later + timedelta(days=8)) is not None


def test_a_guest_that_was_left_is_deleted_again(api: Api, instance: str) -> None:
    backup = done(api, instance)
    operation = ask(api, backup).headers["coffer-operation-id"]
    end(operation, State.FAILED, "x; and the undo failed at 'y'")
    context, later = working(api), utcnow() + timedelta(hours=1)

    def deletions() -> Any:
        return Operation.select().where(Operation.kind == "instance_delete")

    with database.connection_context():
        guest = Operation.get_by_id(operation).instance_id
        clear_scratch(context, utcnow())
        assert deletions().count() == 0
        clear_scratch(context, later)
        clear_scratch(context, later)
        (row,) = deletions()
    assert row.instance_id == guest
    end(row.id, State.SUCCEEDED)
    with database.connection_context():
        clear_scratch(context, later + timedelta(hours=1))
        assert deletions().count() == 1
        assert Instance.get_by_id(guest).state == "DELETED"
