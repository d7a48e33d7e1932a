"""The contract of a compute provider: the life of a guest. tests/model runs it in memory, too."""

import pytest

from tests.roles.contract import Created, Named, Provider
from tests.roles.inside import DIRECTORY

pytestmark = pytest.mark.guests


# --- one guest, in the order of its life


def test_check_mode_makes_nothing(provider: Provider, instance: Named) -> None:
    before = provider.traces()
    done = provider.run("create", instance, check=True)
    assert (done.code, done.changed > 0) == (0, True), done.output
    assert provider.traces() == before


def test_create_leaves_facts_of_a_guest_that_answers(provider: Provider, created: Created) -> None:
    _, outcome = created
    assert outcome.code == 0, outcome.output
    assert set(outcome.facts["compute"]) >= {"server_id", "volume_id", "address", "image"}
    assert provider.inside(created).answers()


def test_create_again_changes_nothing(provider: Provider, created: Created) -> None:
    done = provider.run("create", created[0])
    assert (done.code, done.changed) == (0, 0), done.output
    assert done.facts == created[1].facts


def test_the_volume_grows(provider: Provider, created: Created) -> None:
    inside = provider.inside(created)
    since = inside.boot()
    assert inside.size_of(DIRECTORY) == 1
    assert provider.run("grow_volume", created[0], coffer_volume_size=2).changed == 1
    assert provider.run("grow_volume", created[0], coffer_volume_size=2).changed == 0
    assert inside.size_of(DIRECTORY) == 2
    assert (inside.boot() == since) != provider.data.get("grows_offline", False)


def test_a_larger_flavor_and_whether_it_restarts(provider: Provider, created: Created) -> None:
    inside, larger = provider.inside(created), provider.data["larger"]
    since = inside.boot()
    assert provider.run("resize", created[0], coffer_flavor=larger).changed == 1
    assert provider.run("resize", created[0], coffer_flavor=larger).changed == 0
    assert inside.holds(provider.data["flavor"]["ram"] + 60)
    assert inside.size_of("/") == larger["disk"]
    assert (inside.boot() == since) != provider.data.get("restarts", False)


def test_stop_and_start_keep_everything(provider: Provider, created: Created) -> None:
    inside = provider.inside(created)
    larger = {"coffer_flavor": provider.data["larger"], "coffer_volume_size": 2}
    inside.write("kept")
    assert provider.run("stop", created[0]).changed == 1
    assert provider.run("stop", created[0]).changed == 0
    assert not inside.answers()
    assert provider.run("resume").changed == 0
    assert provider.run("start", created[0]).changed == 1
    done = provider.run("start", created[0])
    assert (done.changed, done.facts) == (0, created[1].facts)
    assert inside.words() == ["kept", "kept"]
    assert provider.run("create", created[0], **larger).changed == 0


def test_facts_change_nothing(provider: Provider, created: Created) -> None:
    done = provider.run("facts", created[0])
    assert (done.changed, done.facts) == (0, created[1].facts)


def test_a_snapshot_is_the_way_back(provider: Provider, created: Created) -> None:
    # given a snapshot of a guest that runs, when both disks change
    instance, inside = created[0], provider.inside(created)
    inside.write("before")
    taken = provider.run("snapshot", instance, coffer_snapshot="s1")
    assert (taken.code, taken.changed) == (0, 1), taken.output
    assert provider.run("snapshot", instance, coffer_snapshot="s1").changed == 0
    inside.write("after")
    # then a rollback brings what was, once; what is written after that stays
    back = provider.run("rollback", instance, coffer_snapshot="s1")
    assert (back.code, back.changed > 0) == (0, True), back.output
    assert inside.words() == ["before", "before"]
    inside.write("later")
    again = provider.run("rollback", instance, coffer_snapshot="s1")
    assert (again.code, again.changed) == (0, 0), again.output
    assert inside.words() == ["later", "later"]


def disks_of(provider: Provider) -> list[str]:
    """What there is of disks."""
    traces = provider.traces()
    return [traces[key] for key in provider.data["disks"]]


def test_the_root_disk_alone_goes_back(provider: Provider, created: Created) -> None:
    instance, inside = created[0], provider.inside(created)
    inside.write("before")
    before = disks_of(provider)
    assert provider.run("snapshot", instance, coffer_snapshot="s2").code == 0
    inside.write("after")
    back = provider.run("rollback", instance, coffer_snapshot="s2", coffer_snapshot_disks=["root"])
    assert back.code == 0, back.output
    assert inside.words() == ["before", "after"]
    forgotten = provider.run("forget_snapshot", instance, coffer_snapshot="s2")
    assert (forgotten.code, forgotten.changed) == (0, 1), forgotten.output
    assert disks_of(provider) == before


def test_a_rebuild_brings_a_new_root_disk_and_keeps_the_rest(
    provider: Provider, created: Created
) -> None:
    # given a guest with words on both disks, and a snapshot
    instance, inside = created[0], provider.inside(created)
    inside.write("before")
    before = disks_of(provider)
    assert provider.run("snapshot", instance, coffer_snapshot="s4").code == 0
    # when it is rebuilt, then its data, its address and its key are what they were
    done = provider.run("rebuild", instance)
    assert (done.code, done.changed) == (0, 1), done.output
    assert done.facts["compute"]["address"] == created[1].facts["compute"]["address"]
    assert inside.words() == ["before"]
    # and the snapshot is still the way back
    inside.write("after")
    back = provider.run("rollback", instance, coffer_snapshot="s4", coffer_snapshot_disks=["root"])
    assert back.code == 0, back.output
    assert inside.words() == ["before", "after"]
    assert provider.run("forget_snapshot", instance, coffer_snapshot="s4").code == 0
    assert disks_of(provider) == before


def test_a_rollback_that_dies_is_finished_by_the_next(provider: Provider, created: Created) -> None:
    instance, inside = created[0], provider.inside(created)
    inside.write("before")
    before = disks_of(provider)
    assert provider.run("snapshot", instance, coffer_snapshot="s3").code == 0
    inside.write("after")
    moment = provider.data["interrupted_rollback"]
    provider.interrupt("rollback", instance, moment, coffer_snapshot="s3")
    done = provider.run("rollback", instance, coffer_snapshot="s3")
    assert done.code == 0, done.output
    assert inside.words() == ["before", "before"]
    assert disks_of(provider) == before


@pytest.mark.usefixtures("created")
def test_delete_what_never_was(provider: Provider, instance: Named) -> None:
    before = provider.traces()
    done = provider.run("delete", instance)
    assert (done.code, done.changed, done.facts) == (0, 0, {"compute": {}}), done.output
    assert provider.traces() == before


@pytest.mark.usefixtures("created")
def test_delete_leaves_nothing(provider: Provider, instance: Named) -> None:
    before = provider.traces()
    assert provider.run("create", instance).code == 0
    assert provider.run("snapshot", instance, coffer_snapshot="left").code == 0
    assert provider.traces() != before
    done = provider.run("delete", instance)
    assert (done.code, done.changed) == (0, 1), done.output
    assert provider.run("delete", instance).changed == 0
    assert provider.traces() == before


@pytest.mark.usefixtures("created")
def test_many_at_once(provider: Provider) -> None:
    before = provider.traces()
    many = [provider.instance() for _ in range(provider.data["at_once"])]
    done = provider.run("create", *many)
    assert (done.code, done.changed) == (0, len(many)), done.output
    assert provider.run("delete", *many).changed == len(many)
    assert provider.traces() == before
