"""What engines with replication promise, on real guests: one story of a replica set."""

from collections.abc import Iterator

import pytest

from tests.e2e.waiting import wait_for
from tests.roles.engine_fixtures import *  # noqa: F403 - fixtures are found by name
from tests.roles.engine_fixtures import Made
from tests.roles.engine_site import Guest, Site
from tests.roles.replica_set import ReplicaSet

pytestmark = pytest.mark.guests


@pytest.fixture(scope="module")
def family(site: Site, made: Made) -> Iterator[ReplicaSet]:
    """A source without replicas; whoever comes to it goes afterwards."""
    if "replication" not in made.guest.engine.data:
        pytest.skip("the engine has no replication")
    before = list(site.guests)
    yield ReplicaSet(site, made.guest)
    for guest in list(site.guests):
        if guest not in before:
            guest.run(f"compute_{site.data['provider']}/delete")
            site.guests.remove(guest)


def sql(guest: Guest, statement: str) -> str:
    """What the server answers to its administrator."""
    client = guest.engine.data["replication"]["client"]
    return guest.shell(f'{client} -NBe "{statement}" 2>&1')


def rows(guest: Guest) -> str:
    return sql(guest, "SELECT COUNT(*) FROM app.followed")


def follows(guest: Guest, source: Guest) -> None:
    """A row of the source's is the replica's a moment later."""
    sql(source, "INSERT INTO app.followed VALUES ()")
    wait_for("the row", lambda: rows(guest) == rows(source), 20)
    assert sql(guest, "SELECT @@read_only") == "1"
    assert sql(source, "SELECT @@read_only") == "0"


def told(guest: Guest) -> str:
    """What the agent would report."""
    return guest.shell("/usr/local/lib/coffer/probe")


def test_replicas_follow_whoever_else_may_connect(
    family: ReplicaSet, site: Site, image: str
) -> None:
    sql(family.source, "CREATE TABLE app.followed (a SERIAL)")
    sql(family.source, "CREATE EVENT app.tick ON SCHEDULE EVERY 1 DAY DO DO 1")
    for number in range(2):
        guest = site.guest(family.source.engine, image)
        done = family.add(guest)
        assert done.code == 0, done.output
        follows(guest, family.source)
        assert '"replication": {"lag": 0' in told(guest)
        if number == 0:  # a second run changes nothing
            again = family.run("replica_create", extra={"coffer_guest_token": guest.token})
            assert (again.code, again.changed) == (0, 0), again.output
    assert '"replication"' not in told(family.source)


def test_a_replica_is_one_after_its_restart(family: ReplicaSet) -> None:
    guest = family.replicas[0]
    done = guest.run("restart")
    assert done.code == 0, done.output
    wait_for("the server", lambda: sql(guest, "SELECT 1") == "1", 20)
    follows(guest, family.source)
    proved = guest.run("following")
    assert (proved.code, proved.changed) == (0, 0), proved.output


def test_a_replica_takes_the_sources_place(family: ReplicaSet) -> None:
    before = family.source
    family.lead(family.replicas[0])
    done = family.run("replica_promote")
    assert done.code == 0, done.output
    for guest in family.replicas:
        follows(guest, family.source)
    assert "ENABLED" in sql(family.source, "SELECT status FROM information_schema.events")
    again = family.run("replica_promote")
    assert (again.code, again.changed) == (0, 0), again.output
    # and back, which is how a promotion is undone
    family.lead(before)
    done = family.run("replica_promote")
    assert done.code == 0, done.output
    for guest in family.replicas:
        follows(guest, family.source)


def test_what_cannot_be_promoted_is_left_as_it_was(family: ReplicaSet) -> None:
    before, broken = family.source, family.replicas[1]
    broken.run("stop")
    family.lead(family.replicas[0])
    assert family.run("replica_promote").code != 0
    family.lead(before)
    broken.run("start")
    done = family.run("replica_promote")
    assert done.code == 0, done.output
    for guest in family.replicas:
        follows(guest, family.source)


def test_a_disk_that_was_full_is_no_hindrance(family: ReplicaSet) -> None:
    # given a replica that could not forget its source, for want of room for the list of its logs
    before, leader = family.source, family.replicas[0]
    filling = f"{leader.variables()['coffer_data_directory']}/.filling"
    said = leader.shell(f"dd if=/dev/zero of={filling} bs=64k status=none 2>&1")
    assert "No space left on device" in said
    sql(leader, leader.engine.data["replication"]["forget"])
    leader.shell(f"rm {filling}")
    # when it is promoted, then it leads; and back
    for guest in (leader, before):
        family.lead(guest)
        done = family.run("replica_promote")
        assert done.code == 0, done.output
        for each in family.replicas:
            follows(each, family.source)


def test_the_most_advanced_replica_follows_a_lost_source(family: ReplicaSet) -> None:
    behind, ahead = family.replicas
    sql(behind, family.source.engine.data["replication"]["pause"])
    sql(family.source, "INSERT INTO app.followed VALUES (), ()")
    wait_for("the rows", lambda: rows(ahead) == rows(family.source))
    family.source.kill()
    lost = ahead.run("following", coffer_replication_seconds=3)
    assert "its source is not reached" in lost.output, lost.output
    done = family.run("replica_eject")
    assert done.code == 0, done.output
    assert done.facts["replication"] == {"source": ahead.instance.id}
    family.source, family.replicas = ahead, [behind]
    follows(behind, ahead)


def test_a_detached_replica_is_on_its_own(family: ReplicaSet) -> None:
    ended = family.replicas.pop()
    alone = ReplicaSet(family.site, ended)
    done = alone.run("replica_detach")
    assert done.code == 0, done.output
    assert sql(ended, "SELECT @@read_only") == "0"
    assert sql(ended, "SELECT COUNT(*) FROM mysql.user WHERE user = 'coffer-replica'") == "0"
    again = alone.run("replica_detach")
    assert (again.code, again.changed) == (0, 0), again.output
    family.replicas.append(ended)
