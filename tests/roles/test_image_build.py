"""Golden images of the local provider, of an engine that only installs a file."""

from pathlib import Path
from typing import Any

import pytest

from tests.roles.provider import DATA, Instance, Provider, outcome_of

pytestmark = pytest.mark.guests
SHOWN = "cat /usr/local/share/standin; ls /var/lib/standin /var/lib/apt/lists /etc/ssh/ssh_host_*"
CACHE = Path("/var/cache/coffer/images")


@pytest.fixture
def images(provider: Provider) -> dict[str, Any]:
    """Variables of a cache of our own, which borrows the stock image of the common one."""
    if provider.name != "local":
        pytest.skip("about the cache of the local provider")
    cache, stock = provider.scratch / "images", (CACHE / "debian-bookworm").readlink()
    cache.mkdir(exist_ok=True)
    for link, target in ((cache / "debian-bookworm", stock), (cache / stock, CACHE / stock)):
        if not link.is_symlink():
            link.symlink_to(target)
    return {
        "coffer_engine": "standin",
        "coffer_datastore_version": "1",
        "compute_local_engine_dir": str(DATA / "roles" / "engine_standin"),
        "compute_local_image_dir": str(cache),
    }


def versions(images: dict[str, Any]) -> list[str]:
    return sorted(path.name for path in Path(images["compute_local_image_dir"]).glob("standin-1-*"))


def test_an_image_is_built_once_and_cloned(
    provider: Provider, instance: Instance, images: dict[str, Any]
) -> None:
    before = provider.traces()["containers"]
    built = provider.run("image_build", instance, **images)
    assert built.code == 0, built.output
    assert versions(images) == [built.facts["image"]]
    assert provider.traces()["containers"] == before

    again = provider.run("image_build", instance, **images)
    assert (again.changed, again.facts) == (0, {"image": built.facts["image"]}), again.output

    clone: dict[str, Any] = {
        "coffer_image": "standin-1",
        "coffer_data_directory": "/var/lib/standin",
    }
    created = provider.run("create", instance, **images, **clone)
    assert created.facts["compute"]["image"] == built.facts["image"]
    shown = instance.shell(created.facts["compute"]["address"], SHOWN)
    assert shown.stdout == "first 1.2\n/var/lib/apt/lists:\n\n/var/lib/standin:\n"

    other = provider.run("image_build", instance, **images, engine_standin_word="second")
    assert other.facts["image"] != built.facts["image"]
    assert versions(images) == sorted([built.facts["image"], other.facts["image"]])

    assert provider.run("delete", instance, **images).code == 0
    pruned = provider.run("image_build", instance, **images, engine_standin_word="second")
    assert (pruned.changed, versions(images)) == (1, [other.facts["image"]])


def test_two_builds_at_once_are_one(
    provider: Provider, instance: Instance, images: dict[str, Any]
) -> None:
    word: dict[str, Any] = {"engine_standin_word": "third"}
    runs = [provider.start("image_build", instance, **images, **word) for _ in range(2)]
    outputs = [run.communicate(timeout=300)[0] for run in runs]
    outcomes = [
        outcome_of(*each) for each in zip([run.returncode for run in runs], outputs, strict=True)
    ]
    assert [outcome.code for outcome in outcomes] == [0, 0], outcomes[0].output
    assert outcomes[0].facts == outcomes[1].facts
    assert min(outcome.changed for outcome in outcomes) <= 1
