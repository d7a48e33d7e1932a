"""Guests that are made anew: on their own version's image, and as a way to another version."""

from typing import Any

import msgspec
import pytest

from coffer.clock import utcnow
from coffer.database import database, transaction
from coffer.lifecycle import close
from coffer.models import Instance, Operation
from coffer.operations import State
from coffer.secrets import hash_token
from tests.api.conftest import Api
from tests.api.fleet import Fleet
from tests.api.test_patches import begun, running

__all__ = ["running"]


@pytest.mark.parametrize("end", [State.SUCCEEDED, State.FAILED])
def test_a_rebuild_has_a_token_of_its_own(api: Api, end: State) -> None:
    # given an instance whose guest is made anew, with a fresh token
    fleet = Fleet(api)
    fleet.add("a", guest_token_hash=hash_token("old"))
    path = f"/mgmt/instances/{fleet.ids['a']}/action"
    answer = api.call("POST", path, {"rebuild": {"image_id": "mysql-9.7"}}, role="admin")
    assert answer.status_code == 202, answer.text
    shown = api.call("GET", f"/instances/{fleet.ids['a']}").json["instance"]
    assert shown["status"] == "BUILD"
    with database.connection_context():
        Instance.update(next_token_hash=hash_token("new")).execute()

        def taken(token: str) -> bool:
            report = {"instance_id": fleet.ids["a"], "state": "HEALTHY", "sequence": 1}
            return api.services.reports.accept_all([(token, report)]) == [True]

        # then both are good until it has ended, and then one of them
        assert taken("old")
        assert taken("new")
        operation = Operation.get(Operation.kind == "instance_rebuild")
        with transaction():
            close(operation.id, end, None, None, {}, utcnow())
        good = end == State.SUCCEEDED
        assert (taken("new"), taken("old")) == (good, not good)


def test_another_image_is_none(api: Api) -> None:
    fleet = Fleet(api)
    fleet.add("a")
    path = f"/mgmt/instances/{fleet.ids['a']}/action"
    answer = api.call("POST", path, {"rebuild": {"image_id": "other"}}, role="admin")
    assert (answer.status_code, "mysql-9.7" in answer.text) == (400, True)


def test_a_version_that_is_reached_by_a_rebuild(api: Any, running: str) -> None:
    # given a version of that strategy, when an instance is upgraded to it
    engines = api.services.catalogue.engines
    engine = engines["mariadb"]
    versions = [
        msgspec.structs.replace(each, strategy="rebuild") if each.name == "10.11" else each
        for each in engine.versions
    ]
    engines["mariadb"] = msgspec.structs.replace(engine, versions=versions)
    change = {"instance": {"datastore_version": "10.11"}}
    answer = api.call("PATCH", f"/instances/{running}", change)
    # then its guest is made anew
    with database.connection_context():
        assert begun(answer).kind == "instance_rebuild"
