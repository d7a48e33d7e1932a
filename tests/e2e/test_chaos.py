"""A few scenarios of `make chaos`, always the same ones."""

from collections.abc import Iterator

import pytest

from tests.chaos.scenario import Scenario, play
from tests.chaos.target import Target
from tests.e2e.guest import Guest
from tests.e2e.installation import Installation

SCENARIOS = [
    Scenario("mysql", "back_up", "worker killed", 0.7),
    Scenario("mysql", "resize", "network cut", 0.4),
    Scenario("mysql", "restart", "given twice", 0.3),
    Scenario("mysql", "create_user", "engine killed", 0.2),
]


@pytest.fixture(scope="module")
def target(coffer: Installation, shared: Guest) -> Iterator[Target]:
    """The shared instance, with data; other tests find it as large as it was."""
    flavor = coffer.api.instance(shared.id)["flavor"]["id"]
    made = Target(coffer, "mysql", shared)
    made.fill()
    yield made
    if coffer.api.instance(shared.id)["flavor"]["id"] != flavor:
        coffer.dbctl("instance", "resize", shared.id, "--flavor", flavor)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_scenario(target: Target, scenario: Scenario) -> None:
    play(scenario, target, [])
