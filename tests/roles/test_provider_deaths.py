"""The contract of a compute provider: runs that die, each at a moment of its own, side by side.

tests/model runs it in memory, too.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.roles.contract import Named, Provider

pytestmark = pytest.mark.guests


def interrupt_each(
    provider: Provider, verb: str, moments: list[dict[str, Any]], made: list[Named]
) -> None:
    with ThreadPoolExecutor(len(moments)) as pool:
        runs = [
            pool.submit(provider.interrupt, verb, instance, moment)
            for instance, moment in zip(made, moments, strict=True)
        ]
    for run in runs:
        run.result()


@pytest.mark.usefixtures("created")
def test_after_killed_creates(provider: Provider) -> None:
    """Some are created again, each once; all are deleted, and nothing is left."""
    before, moments = provider.traces(), provider.data.get("interruptions", [])
    made = [provider.instance() for _ in moments]
    interrupt_each(provider, "create", moments, made)
    pairs = list(zip(made, moments, strict=True))
    gone = [instance for instance, moment in pairs if moment["then"] == "delete"]
    there = [instance for instance, moment in pairs if moment["then"] == "create"]
    done = provider.run("delete", *gone)
    assert done.code == 0, done.output
    done = provider.run("create", *there)
    assert done.code == 0, done.output
    for trace in provider.data.get("one_a_guest", []):
        assert provider.traces()[trace].count("\n") == len(there) + 1
    assert provider.run("delete", *there).changed == len(there)
    assert provider.traces() == before


@pytest.mark.usefixtures("created")
def test_delete_after_killed_deletes(provider: Provider) -> None:
    """A resume between them must not bring back what was on its way out."""
    before, moments = provider.traces(), provider.data.get("interrupted_deletes", [])
    made = [provider.instance() for _ in moments]
    assert provider.run("create", *made).code == 0
    interrupt_each(provider, "delete", moments, made)
    assert provider.run("resume").changed == 0
    assert provider.run("delete", *made).code == 0
    assert provider.traces() == before
