"""What goes wrong in a cloud is told in its own words, and leaves nothing behind."""

import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from openstack.config import OpenStackConfig
from openstack.connection import Connection

from tests.openstack.cloud import LAB, cloud_under_test
from tests.openstack.lab import start
from tests.roles.conftest import provider_named
from tests.roles.instance import Instance
from tests.roles.provider import Outcome, Provider

ADMINISTRATOR = "oslab-admin"
HUGE = {"id": "coffer-huge", "name": "coffer-huge", "vcpus": 1, "ram": 1 << 20, "disk": 4}
AWAY = 120
"""Seconds; less than an outage may take."""


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """The role, and the cloud under test."""
    yield from provider_named("openstack")


@pytest.fixture
def instance(provider: Provider) -> Iterator[Instance]:
    """One that is not there yet; afterwards the cloud holds what it held before."""
    before = provider.traces()
    made = provider.instance()
    yield made
    done = provider.run("delete", made)
    assert done.code == 0, done.output
    assert provider.traces() == before


@pytest.fixture(scope="module")
def administrator() -> Connection:
    """Of the lab; in another cloud faults cannot be made."""
    config = OpenStackConfig(config_files=[str(cloud_under_test().clouds_file)])
    if ADMINISTRATOR not in config.get_cloud_names():
        pytest.skip("needs the lab's administrator")
    return Connection(config=config.get_one(ADMINISTRATOR))


def create(provider: Provider, instance: Instance, **more: Any) -> Outcome:
    done = provider.run("create", instance, **more)
    assert done.code != 0, done.output
    return done


def test_everything_that_is_missing_is_named(provider: Provider, instance: Instance) -> None:
    done = create(
        provider,
        instance,
        coffer_image="no-such-image",
        coffer_flavor={**HUGE, "id": "none", "name": "none"},
        compute_openstack_network="no-such-network",
        compute_openstack_volume_type="no-such-type",
        compute_openstack_availability_zone="no-such-zone",
    )
    for missing in ("image", "network", "type", "zone"):
        assert f"no-such-{missing}" in done.output
    assert "flavor 'none' does not exist" in done.output


def test_a_quota_that_is_exceeded(provider: Provider, instance: Instance) -> None:
    done = create(provider, instance, coffer_volume_size=1 << 20)
    assert "quota of gigabytes is" in done.output


def test_nova_finds_no_host(
    provider: Provider, instance: Instance, administrator: Connection
) -> None:
    compute, project = administrator.compute, cloud_under_test().connect().current_project_id
    compute.create_flavor(**{**HUGE, "flavorid": HUGE["id"]})
    quota = f"/os-quota-sets/{project}"
    before = compute.get(quota).json()["quota_set"]["ram"]
    compute.put(quota, json={"quota_set": {"ram": -1}})
    try:
        done = create(provider, instance, coffer_flavor=HUGE)
    finally:
        compute.put(quota, json={"quota_set": {"ram": before}})
        compute.delete_flavor(compute.find_flavor(HUGE["name"]))
    assert "No valid host was found" in done.output


def test_a_volume_that_cannot_be_attached(
    provider: Provider, instance: Instance, administrator: Connection
) -> None:
    """Cinder gives the volume up while Nova builds the server."""
    cloud = cloud_under_test().connect()
    name = f"cofft{provider.fill('{site}')}-{instance.id}"

    def give_up() -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            for volume in cloud.block_storage.volumes(name=name):
                if volume.status == "available":
                    administrator.block_storage.reset_volume_status(volume, status="error")
                    return
            time.sleep(0.1)

    watcher = threading.Thread(target=give_up)
    watcher.start()
    done = create(provider, instance)
    watcher.join()
    assert "as 'error'" in done.output


def test_nova_is_away_for_a_while(
    provider: Provider, instance: Instance, administrator: Connection
) -> None:
    """The operation waits, and goes on by itself."""
    process = provider.start("create", instance)
    time.sleep(2)
    pid = int((LAB / "run" / "nova-api.pid").read_text())
    subprocess.run(["kill", str(pid)], check=True)
    time.sleep(AWAY)
    assert process.poll() is None, process.communicate()[0]
    start()
    output = process.communicate(timeout=900)[0]
    assert process.returncode == 0, output
