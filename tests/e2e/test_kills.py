"""kill -9 of what works on an instance, in the middle of its creation."""

from tests.e2e.guest import Guest
from tests.e2e.host import (
    containers,
    image_users,
    links,
    loops,
    namespaces,
    records_of_guests,
    snapshot_of_host,
)
from tests.e2e.installation import Installation
from tests.e2e.processes import kill_at, moments
from tests.e2e.waiting import at_once

VICTIMS = ("worker", "horse", "client", "playbook")
LONGEST = 3.0
"""Seconds: a creation takes longer than that."""


def test_a_killed_creation_goes_on_by_itself(coffer: Installation, shared: Guest) -> None:
    # given instances in the making, when one process of each is killed
    before = snapshot_of_host()
    cases = [(victim, moment) for victim in VICTIMS for moment in moments(victim, 2, LONGEST)]
    made = at_once(lambda case: create_and_kill(coffer, *case), cases)

    # then each operation succeeds and there is exactly one of everything
    ends = at_once(lambda pair: coffer.ended(pair[1], timeout=240), made)
    assert [row["state"] for row in ends] == ["succeeded"] * len(cases), [
        *zip(cases, ends, strict=True)
    ]
    at_once(lambda pair: coffer.healthy(pair[0]), made)
    assert coffer.instance_ids() >= {shared.id, *(key for key, _operation in made)}
    assert_one_of_each(coffer.instance_ids())

    # and nothing of the lost attempts is left when they are deleted
    coffer.delete(*(key for key, _operation in made))
    assert snapshot_of_host() == before


def create_and_kill(coffer: Installation, victim: str, moment: float) -> tuple[str, str]:
    key, operation = coffer.begin(f"{victim}-{moment}".replace(".", "-"))
    kill_at(moment, coffer, operation, victim)
    return key, operation


def assert_one_of_each(instances: set[str]) -> None:
    names = sorted(name.split("-", 1)[1] for name in containers())
    assert names == sorted(instances)
    assert sorted(name.split("-", 1)[1] for name in namespaces()) == names
    assert len(links()) == len(names) + 1  # the bridge
    assert len(loops()) == 2 * len(names) + 1  # the pool
    assert len(image_users()) == len(names)
    assert len({row["address"] for row in records_of_guests()}) == len(names)
