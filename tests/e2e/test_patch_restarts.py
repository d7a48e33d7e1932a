"""What runs on libraries that were replaced is started anew, whoever did it, and died then."""

import json

from tests.e2e.guest import Guest
from tests.e2e.installation import Installation
from tests.e2e.processes import attempt_at
from tests.e2e.test_operator import changes, play
from tests.e2e.test_patch import (
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
PID = "systemctl show --property MainPID --value "
REPLACE = "apt-get update -qq; apt-get install -qq -y --reinstall libssl3 >/dev/null"
UNPACK = """set -e
cd /var/tmp
apt-get download -qq libwrap0
dpkg --unpack libwrap0_*.deb >/dev/null
rm libwrap0_*.deb"""
ONCE_SLOW = "test -e /run/slow || { touch /run/slow; sleep 6; }"
ON_DELETED = (
    "runuser -u mysql -- grep -c '[.]so.* (deleted)$' /proc/$(cat /run/mysqld/mysqld.pid)/maps"
)


def pids(guest: Guest, *services: str) -> list[str]:
    return [guest.shell(PID + name).stdout.strip() for name in services]


def test_what_was_replaced_by_hand(coffer: Installation, patched: Guest) -> None:
    # given a library that was replaced under what runs, and no package that is newer
    services = ("mariadb", "ssh", "coffer-agent")
    patched.shell(REPLACE, timeout=180)
    before, installed = pids(patched, *services), packages(patched)
    # when a patch is planned, then that tells what is restarted
    planned = coffer.dbctl("patch", "plan", patched.name, "--json")
    assert json.loads(planned.stdout)["changes"] == []
    assert f"{patched.name}: the engine is restarted" in planned.stderr
    assert "coffer-agent.service, ssh.service" in planned.stderr
    # when it is applied while a client writes, then all of it is, and no write is lost
    with writing(patched) as acknowledged:
        report = coffer.ask("patch", "apply", patched.name)["patch"]["instances"]
    print(f"\n{report[0]['seconds_without_writes']} s without writes")
    assert not set(before) & set(pids(patched, *services))
    assert packages(patched) == installed
    assert_kept(patched, acknowledged)
    # and then there is nothing to do
    done = play(coffer, "instance_patch", "--limit", patched.name)
    assert (changes(done), "patch_planned" in done.stdout) == (0, False), done.stdout


def test_an_installation_that_died_is_finished(coffer: Installation, patched: Guest) -> None:
    # given a package that was unpacked alone, with a library that the engine does not use
    engine, ssh = pids(patched, "mariadb", "ssh")
    patched.shell(UNPACK, timeout=120)
    # when an operator looks, then that is told
    done = play(coffer, "instance_patch", "--limit", patched.name, "--check")
    assert '"origin": "unfinished"' in done.stdout, done.stdout
    # when it is patched, then the package is whole, and what used it is another process
    report = coffer.ask("patch", "apply", patched.name, "--packages", "none")["patch"]["instances"]
    assert [row["name"] for row in report[0]["changes"]] == ["libwrap0"]
    assert report[0]["services"] == ["ssh.service"]
    assert patched.shell("dpkg --audit").stdout == ""
    after = pids(patched, "mariadb", "ssh")
    assert (after[0], after[1] != ssh) == (engine, True)
    done = play(coffer, "instance_patch", "--limit", patched.name, "-e", "patch_packages=none")
    assert changes(done) == 0, done.stdout


def test_a_worker_that_dies_before_the_restarts(coffer: Installation, patched: Guest) -> None:
    # given an older library, and a patch whose packages are there, but still being installed
    old = age(coffer, patched)
    break_packages(patched, "Post", ONCE_SLOW)
    with writing(patched) as acknowledged:
        wish = {"patch": {"backup": False}}
        operation = coffer.api.send("POST", f"/instances/{patched.id}/patch", wish).operation
        attempt = attempt_at(coffer, operation)
        slow = "test -e /run/slow"
        wait_for("the packages", lambda: patched.shell(slow, check=False).returncode == 0, 60)
        assert int(patched.shell(ON_DELETED).stdout) > 0
        # when its worker and its job are killed
        attempt.worker.kill()
        attempt.horse.kill()
        ended = coffer.ended(operation, timeout=240)
    # then the second attempt leaves nothing on what was replaced
    assert (ended["state"], ended["attempt"]) == ("succeeded", 2), ended
    print(f"\n{json.dumps(ended['result'])}")
    # and its report has what the first one installed
    changed = {row["name"]: row["from"] for row in ended["result"]["patch"]["packages"]}
    assert changed["libssl3"] == old, changed
    assert ended["result"]["patch"]["restart"]
    assert "ssh.service" in ended["result"]["patch"]["services"]
    assert packages(patched)["libssl3"] > old
    assert patched.shell(ON_DELETED, check=False).stdout.strip() == "0"
    assert_kept(patched, acknowledged)
    coffer.healthy(patched.id)
    patched.shell(f"rm {HOOK}")
