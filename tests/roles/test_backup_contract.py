"""What every engine's role promises of backups, on real guests with a real gateway."""

from collections.abc import Iterator

import pytest

from tests.roles.backup_gateway import GATEWAY_PASSWORD, REPOSITORY_PASSWORD, STRANGER, Gateway
from tests.roles.engine_fixtures import *  # noqa: F403 - fixtures are found by name
from tests.roles.engine_fixtures import Made
from tests.roles.engine_site import Site
from tests.roles.provider import DATA

pytestmark = pytest.mark.guests

SLOW_RESTIC = """
test -e /usr/bin/restic.real || mv /usr/bin/restic /usr/bin/restic.real
printf '#!/bin/sh\ntouch /run/restic-runs; sleep 300\n' >/usr/bin/restic; chmod 755 /usr/bin/restic
"""
REAL_RESTIC = "test ! -e /usr/bin/restic.real || mv /usr/bin/restic.real /usr/bin/restic"


@pytest.fixture(scope="module")
def gateway(site: Site, made: Made) -> Iterator[Gateway]:
    if not (DATA / f"backup_{made.guest.engine.data['engine']}.yml").exists():
        pytest.skip("the test has no data of this engine's backups")
    opened = Gateway(site, made.guest)
    try:
        yield opened
    finally:
        opened.stop()


@pytest.fixture
def filled(gateway: Gateway) -> Iterator[Gateway]:
    """A guest with rows that are known."""
    gateway.shell("fill")
    yield gateway
    gateway.guest.shell(REAL_RESTIC)
    gateway.shell("clean")


@pytest.mark.parametrize("index", range(2))
def test_a_backup_comes_back(filled: Gateway, index: int) -> None:
    methods = filled.commands["methods"]
    if index >= len(methods):
        pytest.skip("the engine has one method")
    assert filled.shell("look") == filled.commands["sees"]
    done = filled.back_up(methods[index])
    assert done.code == 0, done.output
    made = done.facts["backup"]
    assert made["size"] > 0
    assert made["details"]["counts"]["proof.a b"] == [2, 2]
    assert filled.left() == ""
    filled.shell("change")
    again = filled.restore(made, methods[index])
    assert again.code == 0, again.output
    assert filled.shell("look") == filled.commands["sees"]
    assert (filled.left(), filled.shell("write")) == ("", "written")


def test_no_key_is_shown_or_left(filled: Gateway) -> None:
    done = filled.back_up()
    assert done.code == 0, done.output
    for key in (GATEWAY_PASSWORD, REPOSITORY_PASSWORD):
        assert key not in done.output
        assert filled.guest.shell(f"grep -rl {key} /run /etc /var/cache /var/tmp /tmp") == ""


def test_a_gateway_that_is_away_is_a_reason(filled: Gateway) -> None:
    filled.stop()
    try:
        done = filled.back_up()
    finally:
        filled.start()
    assert done.code != 0
    assert "the gateway of the backups cannot be reached" in done.output
    assert (filled.left(), filled.shell("write")) == ("", "written")


def test_a_full_volume_is_a_reason(filled: Gateway) -> None:
    volume = filled.guest.engine.catalogue["data_directory"]
    free = f"$(($(df -B1 --output=avail {volume} | tail -1) - 40000000))"
    filled.guest.shell(f"fallocate -l {free} {volume}/ballast")
    try:
        done = filled.back_up()
    finally:
        filled.guest.shell(f"rm {volume}/ballast")
    if filled.commands["needs_room"]:
        assert done.code != 0
        assert "MiB may be used: grow the volume" in done.output, done.output
    else:
        assert done.code == 0, done.output
    assert filled.left() == ""


def test_a_backup_that_is_killed_leaves_nothing(filled: Gateway) -> None:
    filled.guest.shell(SLOW_RESTIC)
    with filled.guest.start("backup", **filled.variables(id="k", method="physical")) as process:
        filled.guest.shell("until [ -e /run/restic-runs ]; do sleep 0.1; done")
        filled.shell("hold")
        filled.guest.shell("systemctl kill --signal=KILL coffer-backup; rm /run/restic-runs")
        output = process.communicate(timeout=60)[0]
    assert process.returncode != 0
    assert "ended from outside" in output, output
    assert (filled.left(), filled.shell("write")) == ("", "written")
    filled.guest.shell(REAL_RESTIC)
    done = filled.back_up()
    assert done.code == 0, done.output


def test_a_worker_that_dies_leaves_a_backup_that_the_next_one_finds(filled: Gateway) -> None:
    filled.guest.shell(SLOW_RESTIC)
    told = filled.variables(id="w", method="physical")
    with filled.guest.start("backup", **told) as process:
        filled.guest.shell("until [ -e /run/restic-runs ]; do sleep 0.1; done")
        process.kill()
    assert filled.guest.shell("systemctl is-active coffer-backup") == "active"
    done = filled.guest.run("backup/stop")
    assert (done.code, done.changed) == (0, 1), done.output
    assert (filled.left(), filled.shell("write")) == ("", "written")
    assert filled.guest.run("backup/stop").changed == 0


def test_a_guest_reaches_its_own_and_deletes_nothing(filled: Gateway) -> None:
    own = filled.guest.instance.id
    done = filled.back_up()
    assert done.code == 0, done.output
    assert filled.restic("snapshots", path=own, user=own).returncode == 0
    for arguments in (("snapshots",), ("init",), ("backup", "/etc/hostname")):
        refused = filled.restic(*arguments, path=own, user=STRANGER)
        assert refused.returncode != 0, arguments
        assert "403" in refused.stderr, refused.stderr
    snapshot = done.facts["backup"]["snapshot"]
    assert filled.restic("forget", snapshot, path=own, user=own).returncode != 0
    # it was cut short and has left its lock
    listed = ("snapshots", "--no-lock")
    assert snapshot[:8] in filled.restic(*listed, path=own, user=own).stdout
    # while the control plane can
    told = filled.variables() | {"coffer_snapshots": [snapshot]}
    gone = filled.guest.run("backup/forget", **told)
    assert (gone.code, gone.changed) == (0, 1), gone.output
    assert snapshot[:8] not in filled.restic(*listed, path=own, user=own).stdout
    assert filled.guest.run("backup/forget", **told).changed == 0
