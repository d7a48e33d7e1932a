"""Engines under test, each on a guest of its own that its tests share."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.roles.engine_clients import CLIENTS, Client
from tests.roles.engine_site import Engine, Guest, Site
from tests.roles.instance import make_key
from tests.roles.provider import DATA, Outcome
from tests.unit.guest_conductor import Conductor

ENGINES = sorted(path.stem.removeprefix("engine_") for path in DATA.glob("engine_*.yml"))

__all__ = ["Made", "engine", "image", "made", "stock"]
"""For each module; there is one site for all of them, which conftest.py has."""


@dataclass
class Made:
    """An instance, and how the chain that made it went."""

    guest: Guest
    outcome: Outcome
    conductor: Conductor
    client: Client


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """A provider that is ready for its first guest."""
    scratch = Path("/var/tmp") / f"coffer-engines-{os.getpid()}"
    scratch.mkdir(mode=0o700)
    make_key(scratch / "login_key")
    made = Site("local", scratch)
    missing = [tool for tool in made.data["needs"] if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing:
        shutil.rmtree(scratch)
        pytest.skip(f"needs root and {', '.join(missing or made.data['needs'])}")
    try:
        yield made
    finally:
        _clear(made)


def _clear(made: Site) -> None:
    """A directory with a mount in it is never removed."""
    for guest in made.guests:
        guest.run(f"compute_{made.data['provider']}/delete")
    if made.conductor:
        made.conductor.close()
    assert made.provider(made.data["finish"]).code == 0
    assert str(made.scratch) not in Path("/proc/self/mountinfo").read_text()
    shutil.rmtree(made.scratch)


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine that has a data file."""
    return Engine(request.param)


@pytest.fixture(scope="session")
def image(site: Site, engine: Engine) -> str:
    """The engine's image, built if something that it is made of changed."""
    builder = site.guest(engine, engine.version["image"])
    done = builder.run(f"compute_{site.data['provider']}/image_build")
    assert done.code == 0, done.output
    site.guests.remove(builder)
    return engine.version["image"]


@pytest.fixture(scope="module")
def made(site: Site, engine: Engine, image: str) -> Iterator[Made]:
    """An instance from the engine's image, until the next engine's or module's turn."""
    guest = site.guest(engine, image)
    guest.create()
    conductor = site.listen()
    outcome = guest.chain()
    assert outcome.code == 0, outcome.output
    yield Made(guest, outcome, conductor, CLIENTS[engine.data["client"]])
    guest.run(f"compute_{site.data['provider']}/delete")
    site.guests.remove(guest)


@pytest.fixture
def stock(site: Site, engine: Engine) -> Iterator[Guest]:
    """A guest that knows nothing of the engine; it is deleted afterwards."""
    guest = site.guest(engine, None)
    guest.create()
    site.listen()
    yield guest
    guest.run(f"compute_{site.data['provider']}/delete")
    site.guests.remove(guest)
