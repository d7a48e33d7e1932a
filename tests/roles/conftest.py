"""Providers under test; whatever a test leaves is taken away."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.openstack.cloud import cloud_under_test, why_not
from tests.roles.engine_fixtures import site  # noqa: F401 - a fixture
from tests.roles.instance import Instance
from tests.roles.provider import DATA, Outcome, Provider, host_shell

PROVIDERS = sorted(path.stem.removeprefix("provider_") for path in DATA.glob("provider_*.yml"))


@pytest.fixture(scope="session", params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    """A provider that is ready for its first guest."""
    yield from provider_named(request.param)


def provider_named(name: str) -> Iterator[Provider]:
    """The same, for a test of one provider."""
    scratch = Path("/var/tmp") / f"coffer-{name}-{os.getpid()}"
    scratch.mkdir(mode=0o700)
    made = Provider(name, scratch)
    if reason := _why_not(made):
        shutil.rmtree(scratch)
        pytest.skip(reason)
    try:
        assert made.run(made.data["prepare"]).code == 0
        yield made
    finally:
        _clear(made)


def _why_not(made: Provider) -> str:
    """Why it cannot be tested here; empty when it can."""
    missing = [tool for tool in made.data["needs"] if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing:
        return f"needs root and {', '.join(missing or made.data['needs'])}"
    if not made.data.get("cloud"):
        return ""
    found = cloud_under_test()
    made.cloud = found.values()
    return why_not(found)


def _clear(made: Provider) -> None:
    """A directory with a mount in it is never removed."""
    if made.instances:
        made.run("delete", *made.instances)
    done = made.run(made.data["finish"])
    assert done.code == 0, done.output
    assert not host_shell(f"grep {made.scratch} /proc/self/mountinfo")
    shutil.rmtree(made.scratch)


@pytest.fixture
def instance(provider: Provider) -> Iterator[Instance]:
    """A guest that is not there yet; it is deleted afterwards."""
    made = provider.instance()
    yield made
    if made in provider.instances:
        provider.run("delete", made)


@pytest.fixture(scope="session")
def created(provider: Provider) -> tuple[Instance, Outcome]:
    """A guest that several tests share, and how its creation went."""
    made = provider.instance()
    return made, provider.run("create", made)
