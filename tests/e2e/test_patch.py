"""Newer packages and engines on a real instance, and the way back when they do not work."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pymysql
import pytest

from tests.e2e.guest import Guest
from tests.e2e.host import snapshot_of_host
from tests.e2e.installation import Installation
from tests.e2e.processes import attempt_at
from tests.e2e.waiting import wait_for

OLDER = "10.11.18"
HOOK = "/etc/apt/apt.conf.d/99-broken"
SCRIPT = "/usr/local/sbin/break"
ENGINE = "cp /bin/false /usr/sbin/mariadbd"
BROKEN = {
    "an engine that does not start": ("Post", ENGINE),
    "a bad configuration": ("Post", "echo nonsense=1 >>/etc/mysql/coffer.cnf"),
    "a bad package": ("Pre", "echo 'it does not unpack' >&2; exit 1"),
    "a full disk": (
        "Pre",
        "fallocate -l $(($(df --output=avail -B1 / | tail -1) - 65536)) /var/tmp/filler; sync",
    ),
}
OLD_LIBRARY = """set -e
apt-get update -qq
old=$(apt-cache madison libssl3 | awk '/ bookworm\\/main/ {print $3}')
apt-get install -qq -y --allow-downgrades "libssl3=$old" >/dev/null
systemctl restart mariadb
echo $old"""
SOON = """set -e
mkdir -p /run/systemd/system/coffer-pending.timer.d
cat >/run/systemd/system/coffer-pending.timer.d/soon.conf <<END
[Timer]
OnBootSec=
OnActiveSec=1s
RandomizedDelaySec=0
AccuracySec=100ms
END
systemctl daemon-reload
systemctl restart coffer-pending.timer"""
BOOTED = "systemctl show --property UserspaceTimestampMonotonic --value"
FILL = "fallocate -l $(($(df --output=avail -B1 / | tail -1) - (200 << 20))) /var/tmp/filler"


@pytest.fixture(scope="module")
def patched(coffer: Installation) -> Iterator[Guest]:
    """An instance of the version before the newest."""
    coffer.build_image("mariadb")
    coffer.manage("image", "build", "mariadb", "--version", OLDER)
    before = snapshot_of_host()
    wish = ["mariadb", "to-patch", "--version", OLDER, "--flavor", "small", "--volume", "1"]
    made = coffer.ask("instance", "create", *wish, "--user", "app")
    guest = Guest(made["instance"]["id"], "to-patch", made["user"]["password"], coffer.ca_file())
    guest.query("CREATE TABLE written (number INT PRIMARY KEY)")
    yield guest
    coffer.dbctl("instance", "delete", guest.id, "--yes")
    assert snapshot_of_host() == before


@contextmanager
def writing(guest: Guest) -> Iterator[list[int]]:
    """A client that writes as often as it can; the numbers whose writes were acknowledged."""
    done, stop = (
        [int(guest.query("SELECT COALESCE(MAX(number), 0) FROM written")[0])],
        threading.Event(),
    )

    def write() -> None:
        number = done[0]
        while not stop.is_set():
            with suppress(pymysql.Error, OSError), guest.client() as connection:
                while not stop.is_set():
                    number += 1
                    with connection.cursor() as cursor:
                        cursor.execute("INSERT INTO written VALUES (%s)", (number,))
                    done.append(number)
                    time.sleep(0.01)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield done
    finally:
        stop.set()
        thread.join(30)


def assert_kept(guest: Guest, acknowledged: list[int]) -> None:
    """Every write that was acknowledged is there."""
    with guest.client() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT number FROM written")
        found = {row[0] for row in cursor.fetchall()}
    missing = set(acknowledged[1:]) - found
    assert len(acknowledged) > 1
    assert not missing, sorted(missing)


def version(guest: Guest) -> str:
    return str(guest.query("SELECT VERSION()")[0]).partition("-")[0]


def age(coffer: Installation, guest: Guest) -> str:
    """Give the engine an older library, which is returned."""
    old = guest.shell(OLD_LIBRARY, timeout=180).stdout.strip()
    time.sleep(2.5)  # the agent has seen the restart
    coffer.healthy(guest.id)
    return old


def break_packages(guest: Guest, when: str, how: str) -> None:
    """Whatever apt installs, this happens before or after it."""
    guest.shell(f"""cat >{SCRIPT} <<'END'
#!/bin/sh
{how}
END
chmod 755 {SCRIPT}; echo 'DPkg::{when}-Invoke {{ "{SCRIPT}"; }};' >{HOOK}""")


def packages(guest: Guest) -> dict[str, str]:
    form = r"${Package}\t${Version}\n"
    lines = guest.shell(f"dpkg-query --show --showformat='{form}'").stdout.splitlines()
    return dict(line.split("\t") for line in lines)


def test_pending_packages_are_counted_by_the_timer(coffer: Installation, patched: Guest) -> None:
    # given a guest that has just been made, whose timer waits for its first turn
    def shown() -> int | None:
        found: int | None = coffer.api.instance(patched.id).get("pending_packages")
        return found

    age(coffer, patched)
    assert patched.shell("systemctl is-active coffer-pending.timer").stdout.strip() == "active"
    assert shown() is None
    # when that has come, then the records have the number
    patched.shell(SOON)
    wait_for("the count", lambda: shown() is not None, timeout=90)
    count = patched.shell("apt-get -qq -s upgrade | grep -c '^Inst .*[Ss]ecurity'").stdout.strip()
    assert shown() == int(count) > 0


def test_packages(coffer: Installation, patched: Guest) -> None:
    # given a library of the engine without its security updates, and a client that writes
    old = age(coffer, patched)
    before, process = packages(patched), patched.shell("cat /run/mysqld/mysqld.pid").stdout

    # when a patch is planned, then it is told and nothing has changed
    planned = coffer.dbctl("patch", "plan", patched.name, "--json")
    plan = json.loads(planned.stdout)["changes"]
    assert f"{patched.name}: the engine is restarted" in planned.stderr
    line = next(row for row in plan if row["name"] == "libssl3")
    assert (line["instance"], line["from"]) == (patched.name, old)
    assert all(name.startswith("CVE-20") for name in line["cves"])
    print(f"\n{old} -> {line['to']}: {line['cves']}")
    assert line["cves"]
    assert packages(patched) == before

    # when it is applied, then the guest has what was planned and no write is lost
    with writing(patched) as acknowledged:
        report = coffer.ask("patch", "apply", patched.name)["patch"]["instances"]
    done = report[0]["changes"]
    assert [{"instance": patched.name, **row} for row in done] == plan
    print(f"\n{report[0]['seconds']} s, {report[0]['seconds_without_writes']} s without writes")
    after = packages(patched)
    assert {row["name"]: after[row["name"]] for row in done} == {
        row["name"]: row["to"] for row in done
    }
    assert_kept(patched, acknowledged)
    assert version(patched) == OLDER

    # and all that runs has the new library, and there is nothing more to do
    services = coffer.api.operation(report[0]["operation"])["result"]["patch"]["services"]
    assert {"coffer-agent.service", "ssh.service"} <= set(services)
    assert patched.shell("cat /run/mysqld/mysqld.pid").stdout != process
    assert report[0]["seconds_without_writes"] > 0
    assert coffer.ask("patch", "apply", patched.name)["patch"]["instances"][0]["changes"] == []


def test_rehearsal(coffer: Installation, patched: Guest) -> None:
    # given an instance with data, when its patch is rehearsed
    rows, before = patched.query("SELECT COUNT(*) FROM written"), packages(patched)
    wish = ("patch", "rehearse", patched.name, "--packages", "all", "--json")
    done = coffer.run("dbctl", *wish, timeout=400)
    # then that worked in a guest of its own, which is gone, and the instance is as it was
    (line,) = json.loads(done.stdout)["patch"]["instances"]
    print(f"\n{line['seconds']} s: {len(line['changes'])} changes")
    assert line["state"] == "done"
    assert packages(patched) == before
    assert patched.query("SELECT COUNT(*) FROM written") == rows


def test_rebuild(coffer: Installation, patched: Guest) -> None:
    # given an instance with data, and something that was done to its root disk by hand
    patched.shell("touch /root/by-hand")
    with writing(patched) as acknowledged:
        time.sleep(0.5)
    # when it is rebuilt on its own version's image
    path, body = f"/mgmt/instances/{patched.id}/action", {"image_id": f"mariadb-{OLDER}"}
    ended = coffer.ended(coffer.api.send("POST", path, {"rebuild": body}).operation, timeout=240)
    assert ended["state"] == "succeeded", ended
    print(f"\n{ended['seconds']} s: {json.dumps(ended['result'])}")
    # then its root disk is a new one, it is watched, and no write is lost
    coffer.healthy(patched.id)
    assert patched.shell("ls /root/by-hand", check=False).returncode != 0
    assert version(patched) == OLDER
    assert_kept(patched, acknowledged)


def test_no_room(coffer: Installation, patched: Guest) -> None:
    # given a root disk that is nearly full, when the guest is patched
    before = packages(patched)
    patched.shell(FILL)
    done = coffer.dbctl("patch", "apply", patched.name, "--no-backup", check=False)
    patched.shell("rm /var/tmp/filler")
    # then that is said, and nothing was begun
    assert done.returncode == 1
    assert "the root disk has" in done.stderr, done.stderr
    assert packages(patched) == before
    coffer.healthy(patched.id)


@pytest.mark.parametrize("what", BROKEN)
def test_what_breaks_is_taken_back(coffer: Installation, patched: Guest, what: str) -> None:
    # given newer packages whose installation breaks something, and a client that writes
    old = age(coffer, patched)
    break_packages(patched, *BROKEN[what])
    # when they are applied
    with writing(patched) as acknowledged:
        wish = ("patch", "apply", patched.name, "--json", "--no-backup")
        done = coffer.dbctl(*wish, check=False)
    # then the guest has what it had before, no write is lost, and the report has the cause
    assert done.returncode == 1
    run = json.loads(done.stdout)["patch"]
    (line,) = run["instances"]
    print(f"\n{what}: {line['seconds']} s: {line['problem']}")
    assert (run["state"], line["state"]) == ("failed", "failed")
    assert "instance_patch failed at" in line["problem"]
    assert patched.name in done.stderr, done.stderr
    assert packages(patched)["libssl3"] == old
    coffer.healthy(patched.id)
    assert_kept(patched, acknowledged)
    patched.shell(f"rm {HOOK}")


def test_an_upgrade_that_breaks_the_engine_is_taken_back(
    coffer: Installation, patched: Guest
) -> None:
    # given a package whose installation breaks the engine
    break_packages(patched, "Post", ENGINE)
    # when the engine is upgraded while a client writes
    with writing(patched) as acknowledged:
        done = coffer.dbctl("instance", "upgrade", patched.name, "10.11", check=False)
    # then it says so, the version is the one before, and no write is lost
    assert done.returncode == 1
    assert coffer.healthy(patched.id)["datastore"]["version"] == OLDER
    assert version(patched) == OLDER
    assert_kept(patched, acknowledged)
    assert "to-patch" in done.stderr or "instance_upgrade" in done.stderr, done.stderr


def test_an_upgrade_goes_on_after_its_worker_was_killed(
    coffer: Installation, patched: Guest
) -> None:
    # given an upgrade in the middle, whose worker and its job are killed
    patched.shell(f"rm -f {HOOK}")
    with writing(patched) as acknowledged:
        change = {"instance": {"datastore_version": "10.11"}}
        operation = coffer.api.send("PUT", f"/instances/{patched.id}", change).operation
        attempt = attempt_at(coffer, operation)
        wait_for("the snapshot", lambda: "snapshot" in told(coffer, operation), pause=0.05)
        attempt.worker.kill()
        attempt.horse.kill()
        # then another attempt brings it to its end, and no write is lost
        ended = coffer.ended(operation, timeout=240)
        coffer.healthy(patched.id)
    assert (ended["state"], ended["attempt"]) == ("succeeded", 2), ended
    print(f"\n{json.dumps(ended['result'])}")
    assert ended["result"]["patch"]["engine"] == {"from": OLDER, "to": version(patched)}
    assert coffer.api.instance(patched.id)["datastore"]["version"] == "10.11"
    assert_kept(patched, acknowledged)


def told(coffer: Installation, operation: str) -> str:
    """The steps of an operation so far."""
    events: Any = coffer.api.get(f"/operations/{operation}/events")["events"]
    return " ".join(str(event["task"]) for event in events).lower()
