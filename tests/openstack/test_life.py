"""An instance's life in a cloud, from the image to nothing, as a user of the cloud has it.

The tests of an engine follow each other. Engines may go side by side in processes of their own.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.chaos.target import Target
from tests.clients.service import clean
from tests.e2e.waiting import next_second, wait_for
from tests.openstack.conftest import held
from tests.openstack.guest import CloudGuest
from tests.openstack.installation import CONTAINER, PREFIX, CloudInstallation

ENGINES = os.environ.get("COFFER_TEST_ENGINES", "mysql,mongodb").split(",")
FLAVOR = os.environ.get("COFFER_TEST_FLAVOR", "db.small")
SMALLER = os.environ.get("COFFER_TEST_SMALLER_FLAVOR", "db.tiny")
PASSWORD = "Given-by-the-user-4711"
PROGRAMS = {"mysql": "/usr/sbin/mysqld", "mongodb": "/usr/bin/mongod"}
CLOCKS = 3
"""Seconds by which a guest's clock may be behind this host's, and times go by the guest's."""
HOOK = "/etc/apt/apt.conf.d/99-broken"
BREAKING = """cat >/usr/local/sbin/break <<END
#!/bin/sh
ln -sf /bin/false {program}
pkill -x {name} || true
END
chmod 755 /usr/local/sbin/break
echo 'DPkg::Post-Invoke {{ "/usr/local/sbin/break"; }};' >{hook}"""
CANARY = """set -e
mkdir -p /var/lib/canary; cd /var/lib/canary
for version in 1 2; do
  mkdir -p $version/DEBIAN
  cat >$version/DEBIAN/control <<END
Package: canary
Version: $version
Architecture: all
Maintainer: Tests <tests@example.org>
Description: what is patched
END
  dpkg-deb --build $version canary_$version.deb
done
cp 2/DEBIAN/control Packages
echo "Filename: ./canary_2.deb" >>Packages
echo "Size: $(stat --format=%s canary_2.deb)" >>Packages
echo "SHA256: $(sha256sum canary_2.deb | cut -d ' ' -f 1)" >>Packages
echo 'deb [trusted=yes] file:/var/lib/canary ./' >/etc/apt/sources.list.d/canary.list
dpkg --install canary_1.deb"""
"""A package of which there is a newer one, whatever the archive of the cloud has."""
VERSION = "dpkg-query --show --showformat='${Version}' canary"


def openstack(coffer: CloudInstallation, line: str) -> Any:
    """Run `openstack database …` from PyPI as the user; its document."""
    if coffer.tenant is None:
        login = {"auth_type": "admin_token", "endpoint": coffer.api.url, "token": coffer.api.token}
    else:
        login = {**coffer.tenant.login(PREFIX), "region_name": PREFIX}
    options = [f"--os-{key.replace('_', '-')}={value}" for key, value in login.items()]
    program = str(Path(sys.executable).with_name("openstack"))
    done = subprocess.run(
        [program, *options, "database", *line.split()],
        env=clean(os.environ),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if "-f json" in line else None


def settle(coffer: CloudInstallation, instance: str) -> None:
    """Until what was asked for last has ended well, and the instance is healthy."""
    ended = coffer.ended(coffer.newest_operation(instance)["id"])
    assert ended["state"] == "succeeded", ended
    coffer.healthy(instance, timeout=300)


def create(coffer: CloudInstallation, engine: str, name: str) -> Target:
    """As python-troveclient asks for one, with the user and the database `app`."""
    wish = f"{name} --flavor {FLAVOR} --size 1 --datastore {engine} --databases app"
    made = openstack(coffer, f"instance create {wish} --users app:{PASSWORD} -f json")
    guest = CloudGuest(made["id"], name, PASSWORD, coffer.ca_file(), coffer)
    settle(coffer, guest.id)
    return Target(coffer, engine, guest)


@pytest.fixture(scope="module", params=ENGINES)
def target(request: pytest.FixtureRequest, coffer: CloudInstallation) -> Iterator[Target]:
    """Of a baked image."""
    coffer.build_image(request.param)
    made = create(coffer, request.param, f"life-{request.param}")
    made.fill()
    yield made
    if made.guest.id in coffer.instance_ids():
        coffer.delete(made.guest.id)


def test_an_image_is_built_once(coffer: CloudInstallation, target: Target) -> None:
    images = held(coffer)["images"]
    again = coffer.build_image(target.engine)
    assert "changed=0" in again.stdout.split("PLAY RECAP")[1], again.stdout
    assert held(coffer)["images"] == images


def test_a_client_reads_over_verified_tls(target: Target) -> None:
    assert target.is_intact()


def test_the_agent_reports(coffer: CloudInstallation, target: Target) -> None:
    assert coffer.healthy(target.guest.id, 120)["volume"]["used"] > 0


def test_nothing_needs_root(coffer: CloudInstallation) -> None:
    for worker in ("worker:worker-0", "fast:fast-0", "sweeper"):
        process = psutil.Process(coffer.pid_of(worker))
        assert 0 not in (*process.uids(), *process.gids()), worker


def test_an_operation_that_cannot_be_says_why(coffer: CloudInstallation, target: Target) -> None:
    """Nothing is made that a look beforehand shows to be impossible."""
    coffer.manage("datastore", "register", target.engine, "--image", "no-such-image")
    before = held(coffer)
    wish = [target.engine, "broken", "--flavor", FLAVOR, "--volume", "1"]
    failed = coffer.dbctl("instance", "create", *wish, check=False)
    assert failed.returncode == 1
    assert "there is no active image 'no-such-image'" in failed.stderr
    assert held(coffer) == before
    coffer.dbctl("instance", "delete", "broken", "--yes")
    coffer.manage("datastore", "register", target.engine)


def test_the_volume_grows(coffer: CloudInstallation, target: Target) -> None:
    openstack(coffer, f"instance resize volume {target.guest.id} 2")
    settle(coffer, target.guest.id)
    assert target.is_intact()
    assert coffer.api.instance(target.guest.id)["volume"]["size"] == 2


def test_the_flavor_changes(coffer: CloudInstallation, target: Target) -> None:
    address = target.guest.address
    for flavor in (SMALLER, FLAVOR):
        coffer.dbctl("instance", "resize", target.guest.name, "--flavor", flavor)
        coffer.healthy(target.guest.id, timeout=300)
        assert target.is_intact()
        assert target.guest.address == address


def test_a_backup_becomes_an_instance(coffer: CloudInstallation, target: Target) -> None:
    made = openstack(coffer, f"backup create kept --instance {target.guest.id} -f json")
    settle(coffer, target.guest.id)
    connection = coffer.cloud.connect()
    if connection.has_service("object-store"):
        assert len(list(connection.object_store.objects(CONTAINER))) > 3
    more = ["--flavor", FLAVOR, "--volume", "2", "--backup", made["id"]]
    row = coffer.ask("instance", "create", target.engine, "restored", *more)["instance"]
    assert twin(target, row).is_intact()
    coffer.dbctl("instance", "delete", "restored", "--yes")


def twin(target: Target, row: Any) -> Target:
    """Another instance with its accounts."""
    guest = CloudGuest(row["id"], row["name"], PASSWORD, target.guest.ca, target.coffer)
    return Target(target.coffer, target.engine, guest)


def test_a_second_that_was_becomes_an_instance(coffer: CloudInstallation, target: Target) -> None:
    # given data that are gone since
    to = next_second()
    time.sleep(CLOCKS)
    target.empty()

    def reached() -> bool:
        target.guest.shell("systemctl start coffer-logs && systemctl reload coffer-agent")
        row = coffer.api.instance(target.guest.id)
        return (row["latest_restorable_time"] or "") >= to

    wait_for(f"logs until {to}", reached, timeout=240, pause=5)
    # when another instance begins with the second before, then it has them
    row = coffer.ask("restore", target.guest.name, "earlier", "--to", to)["instance"]
    assert twin(target, row).is_intact()
    coffer.dbctl("instance", "delete", "earlier", "--yes")
    target.fill()


def test_a_patch_and_the_way_back(coffer: CloudInstallation, target: Target) -> None:
    # given an old package, and an installation that breaks the engine
    shell, name = target.guest.shell, target.guest.name
    shell(CANARY)
    program = PROGRAMS[target.engine]
    shell(BREAKING.format(program=program, name=Path(program).name, hook=HOOK))
    # when it is patched, then all is as it was
    wish = ["patch", "apply", name, "--packages", "all", "--no-backup", "--json"]
    failed = coffer.dbctl(*wish, check=False)
    assert failed.returncode == 1, failed.stdout
    (line,) = json.loads(failed.stdout)["patch"]["instances"]
    assert "instance_patch failed at" in line["problem"], line
    coffer.healthy(target.guest.id, timeout=300)
    wait_for("whole data", target.is_intact)
    assert shell(VERSION).stdout == "1"
    # and without what breaks it, it is patched
    shell(f"rm {HOOK}")
    coffer.dbctl(*wish)
    assert shell(VERSION).stdout == "2"
    wait_for("whole data", target.is_intact)


def test_what_has_no_record_is_found_and_removed(coffer: CloudInstallation) -> None:
    connection = coffer.cloud.connect()
    lost = "00000000-0000-4000-8000-000000000000"
    connection.network.create_security_group(name=f"{PREFIX}-{lost}")
    assert lost in coffer.manage("doctor", "orphans").stdout
    coffer.manage("doctor", "orphans", "--remove")
    assert lost not in str(held(coffer))


def test_delete_leaves_nothing(coffer: CloudInstallation, target: Target) -> None:
    openstack(coffer, f"instance delete {target.guest.id}")
    coffer.ended(coffer.newest_operation(target.guest.id)["id"])
    assert set(held(coffer)) <= {"images", "containers"}
    assert all("-image-" in name for name in held(coffer)["images"])
