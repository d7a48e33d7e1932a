"""The contract of a compute provider, as far as it is seen inside real guests and around them.

Each provider brings a data file. The life of a guest is in test_provider_life.py.
"""

import re
import socket
import subprocess
import time
from contextlib import ExitStack

import pytest

from tests.roles.inside import DIRECTORY
from tests.roles.instance import Instance
from tests.roles.provider import Outcome, Provider, host_shell

pytestmark = pytest.mark.guests
Created = tuple[Instance, Outcome]
BURN = "timeout 1 sh -c 'while :; do :; done'"
TWO_CPUS = f"TIMEFORMAT=%U; time {{ {BURN} & {BURN} & wait; }}"
LISTEN = """systemd-run --quiet --unit listen-{0} python3 -m http.server {0}
for try in $(seq 100); do (exec 3<>/dev/tcp/127.0.0.1/{0}) && exit; sleep 0.2; done; exit 1"""
CONNECT = "python3 -c 'import socket; socket.create_connection((\"{}\", {}), timeout=0.7)'"
LINK_LOCAL = "awk '/^fe80/ {print $1, $6}' /proc/net/if_inet6"


def shell(created: Created, command: str) -> subprocess.CompletedProcess[str]:
    instance, outcome = created
    return instance.shell(outcome.facts["compute"]["address"], command)


def test_a_guest_is_a_host_of_its_own(created: Created) -> None:
    assert created[1].code == 0, created[1].output
    assert shell(created, "id --user").stdout == "0\n"
    assert shell(created, "systemctl is-system-running").stdout == "running\n"


def test_create_without_secrets_leaves_them(provider: Provider, created: Created) -> None:
    """An operator's run does not know the host key."""
    done = provider.run("create", created[0], coffer_host_key="")
    assert (done.code, done.changed) == (0, 0), done.output
    assert shell(created, "true").returncode == 0


def test_no_secret_in_the_output(created: Created) -> None:
    key = (created[0].folder / "host_key").read_text().splitlines()[1]
    assert key not in created[1].output


def test_another_host_key_is_refused(created: Created, provider: Provider) -> None:
    stranger = Instance.make(provider.scratch, created[0].login_key)
    address = created[1].facts["compute"]["address"]
    assert "verification failed" in stranger.shell(address, "true").stderr


def test_packages_can_be_installed(created: Created) -> None:
    done = shell(created, "apt-get update -qq && apt-get install --download-only -qq jq")
    assert done.returncode == 0, done.stderr


def test_memory_is_limited(provider: Provider, created: Created) -> None:
    inside = provider.inside(created)
    assert not inside.holds(provider.data["flavor"]["ram"] + 60)
    assert inside.holds(100)
    assert shell(created, "systemctl is-active ssh").stdout == "active\n"


def test_processors_are_limited(created: Created) -> None:
    done = shell(created, TWO_CPUS)
    assert float(done.stderr) < 1.3  # seconds of processor time in one second


@pytest.mark.parametrize("directory", [DIRECTORY, "/root"])
def test_disks_are_limited(provider: Provider, created: Created, directory: str) -> None:
    much = provider.data.get("fill", {}).get(directory, "3G")
    full = shell(created, f"fallocate --length {much} {directory}/fill; rm -f {directory}/fill")
    assert "No space left" in full.stderr
    assert shell(created, f"fallocate --length 100M {directory}/fits").returncode == 0


def test_only_the_conductor_is_reachable(provider: Provider, created: Created) -> None:
    reach = provider.data.get("reach")
    if not reach:
        pytest.skip("the provider does not say")
    ways = [(provider.fill(host), port, way) for way in reach for host, port in reach[way]]
    with ExitStack() as stack:
        for host, port, _ in ways:
            stack.enter_context(socket.create_server((host, port)))
        for host, port, way in ways:
            code = shell(created, CONNECT.format(host, port)).returncode
            assert (code == 0) == (way == "open"), (host, port)


def connects(source: str, address: str, port: int) -> bool:
    """Whether a TCP connection from one of this host's addresses is taken."""
    try:
        socket.create_connection((address, port), timeout=0.7, source_address=(source, 0)).close()
    except OSError:
        return False
    return True


def test_only_allowed_networks_reach_the_engine(provider: Provider, created: Created) -> None:
    """Real connections from two addresses; who was let in and no longer is, is cut off."""
    sources = [provider.fill(host) for host in provider.data.get("sources", [])]
    if not sources:
        pytest.skip("the provider does not say from where to connect")
    address, port = created[1].facts["compute"]["address"], 3306
    assert shell(created, LISTEN.format(port)).returncode == 0

    def allow(*cidrs: str) -> int:
        done = provider.run(
            "access", created[0], coffer_port=port, coffer_allowed_cidrs=list(cidrs)
        )
        assert done.code == 0, done.output
        time.sleep(provider.data.get("settle", 0))
        return done.changed

    def who() -> list[bool]:
        return [connects(source, address, port) for source in sources]

    allow("0.0.0.0/0")
    assert who() == [True, True]
    with socket.create_connection((address, port), source_address=(sources[1], 0)) as old:
        assert allow(f"{sources[0]}/32", "2001:db8::/32") == 1
        assert who() == [True, False]
        old.settimeout(0.7)
        old.sendall(b"GET / HTTP/1.0\r\n\r\n")
        with pytest.raises(TimeoutError):
            old.recv(1)
    assert allow(f"{sources[0]}/32", "2001:db8::/32") == 0
    assert provider.run("create", created[0]).changed == 0, "nobody else opens it again"
    assert allow(sources[1], f"{sources[1]}/30") == 1
    assert who() == [False, True]
    assert allow("2001:db8::/32") == 1
    assert who() == [False, False]
    assert shell(created, CONNECT.format("127.0.0.1", port)).returncode == 0
    assert allow("0.0.0.0/0") == 1
    assert (allow("0.0.0.0/0"), who()) == (0, [True, True])
    assert allow(f"{sources[0]}/32") == 1  # for what follows


def ways_into(created: Created, *ports: int) -> list[tuple[str, int]]:
    """SSH at the guest's address of IPv6, if it has one, and ports at that of IPv4."""
    found = shell(created, LINK_LOCAL).stdout.split()[:2]
    digits, interface = found or ("", "")
    ipv6 = [(":".join(re.findall("....", digits)) + f"%{interface}", 22)] if found else []
    return [*ipv6, *((created[1].facts["compute"]["address"], port) for port in ports)]


def test_a_guest_is_closed_but_for_its_engine(
    provider: Provider, created: Created, instance: Instance
) -> None:
    """Seen from inside another guest, and from the control host, which also has SSH."""
    sources = [provider.fill(host) for host in provider.data.get("sources", [])]
    if not sources:
        pytest.skip("the provider does not say from where to connect")
    engine, other = 3306, 3307
    assert shell(created, LISTEN.format(other)).returncode == 0
    ways, neighbour = ways_into(created, 22, engine, other), provider.run("create", instance)

    def open_from(guest: Created) -> list[tuple[str, int]]:
        return [way for way in ways if shell(guest, CONNECT.format(*way)).returncode == 0]

    def allow(cidr: str) -> None:
        more = {"coffer_port": engine, "coffer_allowed_cidrs": [cidr]}
        assert provider.run("access", created[0], **more).code == 0
        time.sleep(provider.data.get("settle", 0))

    assert open_from(created) == ways, "they do listen"
    address = created[1].facts["compute"]["address"]
    assert [connects(sources[0], address, port) for port in (22, engine, other)] == [
        True,
        True,
        False,
    ]
    assert open_from((instance, neighbour)) == []
    allow("0.0.0.0/0")
    assert open_from((instance, neighbour)) == [(address, engine)]
    allow(f"{sources[0]}/32")  # for what follows: start and resume keep it


def test_a_guest_that_powers_off_comes_back(provider: Provider, created: Created) -> None:
    if provider.data.get("stays_off"):
        pytest.skip("guests of this provider that power off stay so until they are started")
    inside = provider.inside(created)
    since = inside.boot()
    shell(created, "systemctl poweroff")
    deadline = time.monotonic() + 30
    while (now := inside.boot()) in {"", since} and time.monotonic() < deadline:
        time.sleep(0.2)
    assert now not in {"", since}


def test_resume_after_a_restart_of_the_host(provider: Provider, created: Created) -> None:
    outage = [provider.fill(line, created[0]) for line in provider.data.get("outage", [])]
    if not outage:
        pytest.skip("guests of this provider do not live on the control host")
    inside = provider.inside(created)
    inside.write("kept")
    for line in outage:
        subprocess.run(["sh", "-c", line], check=True, capture_output=True, text=True)
    done = provider.run("resume")
    assert (done.code, done.changed) == (0, 1), done.output
    assert provider.run("resume").changed == 0
    assert provider.run("start", created[0]).code == 0
    assert inside.words() == ["kept", "kept"]
    sources = [provider.fill(host) for host in provider.data.get("sources", [])]
    shell(created, LISTEN.format(3306))
    address = created[1].facts["compute"]["address"]
    assert [connects(source, address, 3306) for source in sources] == [True, False][: len(sources)]


def test_the_control_host_saw_no_hostile_name() -> None:
    assert not host_shell("ls /tmp/hostile 2>/dev/null")
