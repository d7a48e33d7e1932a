"""What the service's processes may do, who can read its files, what a guest reaches of the host."""

import pwd
import socket
import stat
import subprocess
from pathlib import Path

import psutil

from tests.e2e.guest import Guest
from tests.e2e.host import CONFIG, LOGS, NAME, RUN, STATE, SUBNET
from tests.e2e.installation import CONDUCTOR_PORT, GATEWAY_PORT, Installation

PRIVILEGED = {"worker", "fast", "sweeper"}
NET_ADMIN, NET_RAW = 12, 13
"""Numbers of capabilities (capabilities(7), linux/capability.h)."""
CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapAmb")
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
USER = ("runuser", "-u", NAME, "--")
ALLOWED = """import os, sys
for path in sys.stdin.read().split("\\0"):
    if os.access(path, {}):
        print(path)
"""
CONNECT = """
import asyncio, sys
async def look(host, port):
    try:
        await asyncio.wait_for(asyncio.open_connection(host, port), 1)
        print(host, port)
    except (OSError, asyncio.TimeoutError):
        pass
async def all_of_them():
    await asyncio.gather(*(look(*way.split()) for way in sys.argv[1:]))
asyncio.run(all_of_them())
"""


def test_services_have_no_privileges_but_workers_and_sweeper(coffer: Installation) -> None:
    user = pwd.getpwnam(NAME)
    found = services(coffer)
    assert len(found) > len(PRIVILEGED) + 4
    for name, process in found.items():
        for each in (process, *process.children(recursive=True)):
            status = status_of(each.pid)
            if name.split(":")[0] in PRIVILEGED:
                assert set(status["Uid"]) == {"0"}, name
                continue
            assert set(status["Uid"]) == {str(user.pw_uid)}, name
            assert {*status["Gid"], *status["Groups"]} == {str(user.pw_gid)}, name
            assert not any(int(status[key][0], 16) for key in CAPABILITIES), name
            assert status["NoNewPrivs"] == ["1"], name


def test_who_is_waited_for_comes_before_playbooks(coffer: Installation) -> None:
    nice = {name.split(":")[0]: process.nice() for name, process in services(coffer).items()}
    assert nice["api"] == nice["redis"] == nice["conductor"] - 5
    assert {nice[name] for name in ("worker", "fast", "sweeper", "cron")} == {nice["api"] + 10}
    # and all of them before what has a session of its own, as playbooks have
    manager = int(coffer.supervisorctl("pid").stdout)
    assert Path("/proc", str(manager), "autogroup").read_text().endswith("nice -10\n")


def services(coffer: Installation) -> dict[str, psutil.Process]:
    """The first process of each service, by the process manager's name."""
    lines = [line.split() for line in coffer.supervisorctl("status").stdout.splitlines()]
    return {line[0]: psutil.Process(int(line[3].strip(","))) for line in lines}


def status_of(pid: int) -> dict[str, list[str]]:
    """As the kernel tells it."""
    lines = Path("/proc", str(pid), "status").read_text().splitlines()
    return {key: words.split() for key, _, words in (line.partition(":") for line in lines)}


def test_files_are_closed_to_others(shared: Guest) -> None:
    """Also those of guests: whoever has an account on the host can read and change nothing."""
    assert shared.query("SELECT 1") == (1,)
    modes = {path: mode_of(path) for path in (CONFIG, STATE, RUN, LOGS)}
    service = (NAME, NAME)
    assert modes == {
        CONFIG: ("root", NAME, 0o750),
        STATE: (*service, 0o751),
        RUN: (*service, 0o750),
        LOGS: (*service, 0o750),
    }
    paths = [str(path) for top in modes for path in top.rglob("*") if not path.is_symlink()]
    assert len(paths) > 1000
    assert not allowed(paths, "os.R_OK", *NOBODY)
    assert not allowed(paths, "os.W_OK", *NOBODY)


def test_the_service_user_cannot_change_its_settings_or_sign() -> None:
    paths = [str(path) for path in CONFIG.rglob("*")]
    assert not allowed(paths, "os.W_OK", *USER)
    readable = allowed(paths, "os.R_OK", *USER)
    assert {f"{CONFIG}/coffer.toml", f"{CONFIG}/ca/ca.crt"} <= readable
    assert f"{CONFIG}/ca/ca.key" not in readable


def mode_of(path: Path) -> tuple[str, str, int]:
    return path.owner(), path.group(), stat.S_IMODE(path.stat().st_mode)


def allowed(paths: list[str], access: str, *who: str) -> set[str]:
    """Those of the paths to which `who` has access."""
    command = [*who, "/usr/bin/python3", "-c", ALLOWED.format(access)]
    done = subprocess.run(
        command, input="\0".join(paths), capture_output=True, text=True, check=True, cwd="/"
    )
    return set(done.stdout.splitlines())


def test_a_guest_reaches_conductor_and_gateway_alone(shared: Guest) -> None:
    """Whatever listens on this host is tried on all its addresses from inside a guest."""
    with socket.create_server(("", 0)) as everywhere:
        ports = {row.laddr.port for row in psutil.net_connections("tcp") if row.status == "LISTEN"}
        assert everywhere.getsockname()[1] in ports
        addresses = {
            row.address
            for rows in psutil.net_if_addrs().values()
            for row in rows
            if row.family == socket.AF_INET and not row.address.startswith("127.")
        }
        ways = " ".join(f"'{host} {port}'" for host in sorted(addresses) for port in sorted(ports))
        assert len(addresses) > 1
        done = shared.shell(f"python3 -c '{CONNECT}' {ways}")
    assert set(done.stdout.splitlines()) == {
        f"{SUBNET}.1 {CONDUCTOR_PORT}",
        f"{SUBNET}.1 {GATEWAY_PORT}",
    }


def test_a_guest_cannot_change_its_network(shared: Guest) -> None:
    """Root in it has neither the capability for that nor for packets of its own making."""
    packet = "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)"
    status = shared.shell("grep CapBnd /proc/1/status").stdout
    assert not int(status.split()[1], 16) & (1 << NET_ADMIN | 1 << NET_RAW)
    assert "not permitted" in shared.shell(f"python3 -c '{packet}'", check=False).stderr
