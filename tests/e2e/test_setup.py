"""The control plane's own playbook run again, and the host's restart."""

import re
import subprocess

import psutil

from tests.e2e.guest import Guest
from tests.e2e.host import PREFIX, STATE, containers, links, loops, mounts, namespaces, output_of
from tests.e2e.installation import Installation
from tests.e2e.waiting import wait_for


def test_setup_again_changes_nothing(coffer: Installation) -> None:
    done = coffer.setup()
    assert re.search(r"localhost +: ok=\d+ +changed=0 ", done.stdout), done.stdout


def test_guests_come_back_after_a_restart_of_the_host(coffer: Installation, shared: Guest) -> None:
    # given data in a guest, when the host restarts
    shared.query("CREATE TABLE IF NOT EXISTS kept (number INT)")
    shared.query("INSERT INTO kept VALUES (42)")
    lose_everything_that_a_restart_loses()

    # then resume brings network, disks and guest back, with the data
    coffer.manage("resume", "-e", f"@{coffer.variables}")
    kept = wait_for("the engine's answer", lambda: shared.query("SELECT number FROM kept"))
    assert kept == (42,)
    shared.query("DROP TABLE kept")

    # and once more changes nothing
    done = coffer.manage("resume", "-e", f"@{coffer.variables}")
    assert re.search(r"changed=0 ", done.stdout), done.stdout


def lose_everything_that_a_restart_loses() -> None:
    for name in containers():
        _do("podman", "kill", name)
    for name in namespaces():
        _do("ip", "netns", "del", name)
    for name in links():
        _do("ip", "link", "del", name)
    _do("nft", "delete", "table", "inet", PREFIX)
    while mounts() or loops():  # a disk, its device, then the pool that it lies in
        for path in sorted(mounts(), key=len, reverse=True):
            _do("umount", path)
        for device in devices():
            _do("losetup", "--detach", device)
    assert not [*links(), *namespaces(), *mounts(), *loops()]


def devices() -> list[str]:
    """Loop devices of the installation."""
    lines = output_of("losetup", "--list", "--noheadings", "--output", "NAME,BACK-FILE")
    return [line.split()[0] for line in lines.splitlines() if str(STATE) in line]


def _do(*command: str) -> None:
    subprocess.run(command, capture_output=True, check=False)


def test_a_killed_process_manager_leaves_nobody_behind(coffer: Installation) -> None:
    # given services, when what started them is killed, then they end
    manager = psutil.Process(int(coffer.supervisorctl("pid").stdout))
    services = manager.children()
    manager.kill()
    _gone, alive = psutil.wait_procs(services, timeout=60)
    assert services
    assert not alive

    # and the next setup starts them all
    coffer.setup()
    wait_for("the API", lambda: coffer.api.get("/instances"))
    assert coffer.ask("doctor")["checkup"][0]["health"] == "ok"
