"""One run: a real operation, one thing that breaks in the middle of it, and what must be true."""

import contextlib
import random
from dataclasses import dataclass
from typing import Any

from tests.chaos.actions import ACTIONS, LONGEST, back_up, delete, promote
from tests.chaos.faults import FAULTS, OF_A_CREATION, OF_THE_SERVICE, Scene
from tests.chaos.invariants import check
from tests.chaos.target import (
    Target,
    begin_replica,
    begin_restored,
    begin_target,
    make_target,
)
from tests.e2e.host import snapshot_of_host
from tests.e2e.waiting import wait_for


@dataclass(frozen=True)
class Scenario:
    """What is asked, what breaks, and when: seconds after a worker took the operation."""

    engine: str
    action: str
    fault: str
    moment: float

    def __str__(self) -> str:
        return f"{self.engine}: {self.action}, {self.fault} after {self.moment} s"


FAULTS_OF = {
    "create": OF_A_CREATION,
    "replicate": OF_A_CREATION,
    "restore": OF_A_CREATION,
    "promote": list(FAULTS),
    "delete": list(OF_THE_SERVICE),
}
"""Actions that need more than an instance, and what each can be broken by."""
OF_REPLICAS = ("promote", "replicate")


def drawn(seed: int) -> Scenario:
    """The same for the same seed."""
    source = random.Random(seed)
    action = source.choice(sorted([*ACTIONS, *FAULTS_OF]))
    return Scenario(
        engine="mysql" if action in OF_REPLICAS else source.choice(["mongodb", "mysql"]),
        action=action,
        fault=source.choice(sorted(FAULTS_OF.get(action, FAULTS))),
        moment=round(source.uniform(0, LONGEST.get(action, 0.6)), 2),
    )


def play(scenario: Scenario, target: Target, others: list[Target]) -> str:
    """Play it; how the operation ended at first. `others` must not notice."""
    before = snapshot_of_host()
    special = _SPECIAL.get(scenario.action)
    if special is not None:
        first = special(scenario, target, others)
    else:
        # given an instance, when one thing breaks while something is done to it
        first = _break(scenario, target, ACTIONS[scenario.action](target))

    # then nothing is stuck, lost or left
    check(target.coffer, [target, *others], before)
    return first


def _create(scenario: Scenario, neighbour: Target, others: list[Target]) -> str:
    """Given an instance in the making, when something breaks, then there is one, and only one."""
    coffer = neighbour.coffer
    made, operation = begin_target(coffer, scenario.engine, "chaos-new")
    first = _break(scenario, made, operation)
    coffer.healthy(made.guest.id, timeout=120)
    made.fill()
    check(coffer, [made, neighbour, *others], None)
    coffer.delete(made.guest.id)
    return first


def _replicate(scenario: Scenario, source: Target, others: list[Target]) -> str:
    """Given a replica in the making, when something breaks, then it has all of its source."""
    coffer = source.coffer
    made, operation = begin_replica(source, "chaos-replica")
    first = _break(scenario, made, operation)
    coffer.healthy(made.guest.id, timeout=120)
    check(coffer, [made, source, *others], None)
    coffer.delete(made.guest.id)
    return first


def _promote(scenario: Scenario, source: Target, others: list[Target]) -> str:
    """Given a replica, when something breaks while it is promoted, then there is one source.

    A promotion that went back, and was overtaken by the guest's restart, is asked for again.
    """
    coffer = source.coffer
    replica, made = begin_replica(source, "chaos-replica")
    assert coffer.ended(made)["state"] == "succeeded"
    coffer.healthy(replica.guest.id)
    first = _break(scenario, replica, promote(replica))
    check(coffer, [replica, source, *others], None)
    if "replica_of" in coffer.api.instance(replica.guest.id):
        assert coffer.ended(promote(replica))["state"] == "succeeded"
    assert coffer.api.instance(source.guest.id)["replica_of"]["id"] == replica.guest.id
    assert coffer.ended(promote(source))["state"] == "succeeded"
    coffer.delete(replica.guest.id)
    return first


def _restore(scenario: Scenario, source: Target, others: list[Target]) -> str:
    """Given a backup, when something breaks while it is restored, then the data are all there."""
    coffer = source.coffer
    assert coffer.ended(back_up(source))["state"] == "succeeded"
    newest = coffer.api.get(f"{source.path}/backups")["backups"][0]
    made, operation = begin_restored(source, newest["id"], "chaos-restored")
    first = _break(scenario, made, operation)
    coffer.healthy(made.guest.id, timeout=120)
    check(coffer, [made, source, *others], None)
    coffer.delete(made.guest.id)
    return first


def _delete(scenario: Scenario, neighbour: Target, _others: list[Target]) -> str:
    """Given an instance, when something breaks while it is deleted, then nothing is left of it."""
    made = make_target(neighbour.coffer, scenario.engine, "chaos-old")
    return _break(scenario, made, delete(made))


_SPECIAL = {
    "create": _create,
    "replicate": _replicate,
    "promote": _promote,
    "restore": _restore,
    "delete": _delete,
}


def _break(scenario: Scenario, target: Target, operation: str) -> str:
    """It ends: well, or it can be tried again once all is mended."""
    with FAULTS[scenario.fault](Scene(target, operation, scenario.moment)):
        ended: Any = target.coffer.ended(operation, timeout=300)
    first = str(ended["state"])
    if scenario.fault in OF_THE_SERVICE:
        assert first == "succeeded", ended
    if first != "succeeded":
        _try_again(target, operation)
    return first


def _try_again(target: Target, operation: str) -> None:
    """Once what can mend itself has done so; what was overtaken by that is not tried again."""
    with contextlib.suppress(AssertionError):  # what needs the retry itself is still unwell
        wait_for("an engine that answers", target.is_intact, timeout=15)
    answer = target.coffer.api.act(operation, "retry")
    assert answer.status in (202, 422), answer
    if answer.status == 202:
        ended = target.coffer.ended(operation, timeout=300)
        assert ended["state"] == "succeeded", ended
