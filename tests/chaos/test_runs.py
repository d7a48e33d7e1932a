"""Many runs of drawn scenarios, one after the other: `make chaos SEED=… RUNS=…`."""

import os
import random
import time

import pytest

from tests.chaos.scenario import drawn, play
from tests.chaos.target import Target

RUNS = int(os.environ.get("COFFER_CHAOS_RUNS", "10"))
SEED = int(os.environ.get("COFFER_CHAOS_SEED") or random.SystemRandom().randrange(1_000_000))
"""Of the first run; each further run has the next one."""


@pytest.mark.parametrize("seed", range(SEED, SEED + RUNS))
def test_run(targets: list[Target], kept: list[Target], seed: int) -> None:
    scenario = drawn(seed)
    print(f"\nseed {seed}: {scenario}; again: make chaos SEED={seed} RUNS=1", flush=True)
    target = next(each for each in targets if each.engine == scenario.engine)
    others = [each for each in targets if each is not target]
    began = time.monotonic()
    first = play(scenario, target, others)
    print(f"  {first} at first; all well after {time.monotonic() - began:.0f} s", flush=True)
    kept += targets
