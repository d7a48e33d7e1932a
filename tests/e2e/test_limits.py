"""A guest gets what its flavor and its volume say, and no more of the host."""

import shutil
import time
from pathlib import Path

import psutil

from tests.e2e.guest import Guest
from tests.e2e.installation import Installation

MIB = 1024**2
GIB = 1024**3
EAT = """python3 -u -c '
eaten = []
while True:
    eaten.append(b"x" * (16 << 20))
    print(len(eaten) * 16)
'"""
BURN = "timeout {seconds} sh -c 'while :; do :; done'"
KILLED = 137
"""Exit status of a process that got SIGKILL."""


def test_memory_ends_at_the_flavors(coffer: Installation, shared: Guest) -> None:
    # given a guest with 1 GiB, when a process in it takes all that it can get
    free = psutil.virtual_memory().available
    eater = shared.shell(EAT, check=False)

    # then it is killed before it has that much, and the host keeps the rest
    assert eater.returncode == KILLED, eater
    assert 16 <= int(eater.stdout.split()[-1]) < 1024
    assert psutil.virtual_memory().available > free - GIB
    assert coffer.healthy(shared.id)


def test_processor_time_ends_at_the_flavors(shared: Guest) -> None:
    # given a guest with one processor, when three loops run for two seconds
    loops = " & ".join([BURN.format(seconds=2)] * 3)
    used, began = cpu_seconds(shared), time.monotonic()
    shared.shell(f"{loops} & wait", check=False)
    used, took = cpu_seconds(shared) - used, time.monotonic() - began

    # then they had one second of it a second
    print(f"\n{used:.2f} s of processor time in {took:.2f} s")
    assert 0.2 * took < used < 1.15 * took


def cpu_seconds(guest: Guest) -> float:
    """Processor time that the guest has used so far (control groups of version 1, then 2)."""
    nanoseconds = guest.shell("cat /sys/fs/cgroup/cpuacct/cpuacct.usage", check=False).stdout
    if nanoseconds:
        return int(nanoseconds) / 1e9
    lines = guest.shell("cat /sys/fs/cgroup/cpu.stat").stdout.split()
    return int(lines[lines.index("usage_usec") + 1]) / 1e6


def test_volume_ends_at_its_size(coffer: Installation, shared: Guest) -> None:
    # given a volume of 1 GiB, when it is filled
    free = shutil.disk_usage("/var/lib").free
    filling = shared.shell("cat /dev/zero >/var/lib/mysql/filling", check=False)

    # then there is an end to it, root disk and host have room, and the engine comes back
    assert "No space left" in filling.stderr
    assert int(shared.shell("stat -c %s /var/lib/mysql/filling").stdout) < GIB
    assert shutil.disk_usage("/var/lib").free > free - 1.2 * GIB
    shared.shell("dd if=/dev/zero of=/var/tmp/room bs=1M count=16 && rm /var/tmp/room")
    shared.shell("rm /var/lib/mysql/filling")
    assert coffer.healthy(shared.id)


def test_root_disk_ends_at_the_flavors(coffer: Installation, shared: Guest) -> None:
    # given a root disk of 10 GiB, when a file takes 9, then another 2 do not fit
    free = shutil.disk_usage(Path("/")).free
    shared.shell("fallocate -l 9G /var/tmp/nine")
    other = shared.shell("fallocate -l 2G /var/tmp/two", check=False)
    shared.shell("rm -f /var/tmp/nine /var/tmp/two")

    assert "No space left" in other.stderr
    assert shutil.disk_usage(Path("/")).free > free - GIB
    assert coffer.healthy(shared.id)
