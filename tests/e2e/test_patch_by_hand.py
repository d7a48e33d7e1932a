"""An operator patches by hand: the same work as through the service, and a backup comes first."""

from typing import Any

from tests.e2e.guest import Guest
from tests.e2e.installation import Installation
from tests.e2e.test_operator import changes, newest, play
from tests.e2e.test_patch import (
    BOOTED,
    HOOK,
    age,
    assert_kept,
    break_packages,
    packages,
    patched,
    writing,
)
from tests.e2e.waiting import wait_for

__all__ = ["patched"]
PATCH = ("playbooks/instance_patch.yml", "--limit")
WITHOUT_RESTIC = "mv /usr/bin/restic /usr/bin/restic.away"
WITH_RESTIC = "mv /usr/bin/restic.away /usr/bin/restic"


def operations(coffer: Installation, guest: Guest, kind: str) -> list[Any]:
    """Of a kind, the newest first."""
    rows = coffer.api.get(f"/operations?instance_id={guest.id}")["operations"]
    return [row for row in rows if row["kind"] == kind]


def backups(coffer: Installation, guest: Guest) -> list[str]:
    """Ids of the backups that are complete."""
    rows = coffer.api.get(f"/backups?instance_id={guest.id}")["backups"]
    return [row["id"] for row in rows if row["status"] == "COMPLETED"]


def test_nothing_to_do_needs_no_backup(coffer: Installation, patched: Guest) -> None:
    done = play(coffer, "instance_patch", "--limit", patched.name, "-e", "patch_packages=none")
    assert changes(done) == 0, done.stdout
    assert operations(coffer, patched, "backup_create") == []
    assert newest(coffer, patched) == ("instance_patch_plan", "operator", "succeeded")


def test_without_its_backup_nothing_is_changed(coffer: Installation, patched: Guest) -> None:
    # given an older library and no backup, when an operator looks, then none is made
    age(coffer, patched)
    before = packages(patched)
    play(coffer, "instance_patch", "--limit", patched.name, "--check")
    assert operations(coffer, patched, "backup_create") == []
    # when the backup that the patch begins with fails
    patched.shell(WITHOUT_RESTIC)
    done = play(coffer, "instance_patch", "--limit", patched.name, check=False)
    patched.shell(WITH_RESTIC)
    # then nothing is changed or held, and the operator is told why and what to do
    assert done.returncode != 0
    assert packages(patched) == before
    assert "there is no backup from before" in done.stdout, done.stdout
    assert "patch_backup=false" in done.stdout
    assert newest(coffer, patched) == ("backup_create", "worker", "failed")
    # and who wants none gets none
    play(coffer, "instance_patch", "--limit", patched.name, "-e", "patch_backup=false")
    assert packages(patched)["libssl3"] > before["libssl3"]
    assert newest(coffer, patched) == ("instance_patch", "operator", "succeeded")
    assert backups(coffer, patched) == []


def test_a_run_that_is_killed_while_it_waits_holds_nothing(
    coffer: Installation, patched: Guest
) -> None:
    # given an older library, and a patch by hand that waits for its backup
    age(coffer, patched)
    before, booted = packages(patched), patched.shell(BOOTED).stdout
    tried = len(operations(coffer, patched, "backup_create"))
    with coffer.operating("ansible-playbook", *PATCH, patched.name) as run:
        wait_for(
            "the backup",
            lambda: len(operations(coffer, patched, "backup_create")) > tried,
            pause=0.05,
        )
        # when it is killed
        run.kill()
    # then the backup is made all the same, nothing is changed and nothing holds the instance
    coffer.ended(operations(coffer, patched, "backup_create")[0]["id"])
    (made,) = backups(coffer, patched)
    assert newest(coffer, patched) == ("backup_create", "worker", "succeeded")
    assert packages(patched) == before
    # when it is run again, with a package that asks for the guest's restart
    break_packages(patched, "Post", "touch /run/reboot-required")
    with writing(patched) as acknowledged:
        play(coffer, "instance_patch", "--limit", patched.name)
    # then that backup served it, and the guest is as a worker would leave it, and asks no more
    assert packages(patched)["libssl3"] > before["libssl3"]
    assert newest(coffer, patched) == ("instance_patch", "operator", "succeeded")
    assert backups(coffer, patched) == [made]
    assert patched.shell(BOOTED).stdout != booted
    assert patched.shell("test ! -e /run/reboot-required", check=False).returncode == 0
    assert_kept(patched, acknowledged)
    (_, done) = operations(coffer, patched, "instance_patch")[::-1]
    print(f"\nrestarted, {done['result']['patch']['seconds_without_writes']} s without writes")
    assert done["protected_by"] == made
    assert done["result"]["patch"]["reboot"]
    assert done["result"]["patch"]["seconds_without_writes"] < 30
    patched.shell(f"rm {HOOK}")
    assert changes(play(coffer, "instance_patch", "--limit", patched.name)) == 0


def test_the_backup_comes_first(coffer: Installation, patched: Guest) -> None:
    # given an older library and no backup, when an operator patches while a client writes
    for made in backups(coffer, patched):
        coffer.dbctl("backup", "delete", made, "--yes")
    age(coffer, patched)
    with writing(patched) as acknowledged:
        play(coffer, "instance_patch", "--limit", patched.name)
    # then a backup was made before, which the operation names
    (made,) = backups(coffer, patched)
    done, making = (
        operations(coffer, patched, kind)[0] for kind in ("instance_patch", "backup_create")
    )
    assert (done["state"], done["protected_by"]) == ("succeeded", made)
    assert making["ended"] <= done["created"]
    assert_kept(patched, acknowledged)


def test_what_a_killed_run_left_is_taken_back(coffer: Installation, patched: Guest) -> None:
    # given a patch by hand whose packages are there, and then it is killed
    old = age(coffer, patched)
    break_packages(patched, "Post", "touch /run/installed; sleep 3")
    with coffer.operating("ansible-playbook", *PATCH, patched.name) as run:
        there = "test -e /run/installed"
        wait_for("the packages", lambda: patched.shell(there, check=False).returncode == 0, 90)
        run.kill()
    assert newest(coffer, patched) == ("instance_patch", "operator", "running")
    # when somebody aborts it, then a worker takes the instance back to the snapshot
    coffer.dbctl("operation", "abort", operations(coffer, patched, "instance_patch")[0]["id"])
    assert newest(coffer, patched) == ("instance_patch", "operator", "aborted")
    coffer.healthy(patched.id)
    assert packages(patched)["libssl3"] == old
    # and it can be patched
    patched.shell(f"rm -f {HOOK}")
    play(coffer, "instance_patch", "--limit", patched.name)
    assert packages(patched)["libssl3"] > old
