"""The contract of a compute provider, on real guests. Each provider brings a data file."""

import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.roles.provider import (
    Instance,
    Outcome,
    Provider,
    kill_all,
    wait_until,
)

pytestmark = pytest.mark.guests
Created = tuple[Instance, Outcome]
DIRECTORY = "/var/lib/engine"
BOOT = "/proc/sys/kernel/random/boot_id"
FILL_MEMORY = "python3 -c 'x = bytearray({} << 20); print(len(x))'"
BURN = "timeout 1 sh -c 'while :; do :; done'"
TWO_CPUS = f"TIMEFORMAT=%U; time {{ {BURN} & {BURN} & wait; }}"
LISTEN = """systemd-run --quiet --unit listen python3 -m http.server {0}
for try in $(seq 100); do (exec 3<>/dev/tcp/127.0.0.1/{0}) && exit; sleep 0.2; done; exit 1"""
CONNECT = "python3 -c 'import socket; socket.create_connection((\"{}\", {}), timeout=0.7)'"


def shell(created: Created, command: str) -> subprocess.CompletedProcess[str]:
    instance, outcome = created
    return instance.shell(outcome.facts["compute"]["address"], command)


def size_of(created: Created, path: str) -> int:
    """GiB of a file system in the guest, rounded up."""
    return -(-int(shell(created, f"df --output=size -k {path} | tail -1").stdout) // (1 << 20))


def started(created: Created) -> str:
    """Which boot of which init this is: another answer means a restart."""
    return shell(created, f"cat {BOOT}; cut -d' ' -f22 /proc/1/stat").stdout


# --- one guest, in the order of its life


def test_check_mode_makes_nothing(provider: Provider, instance: Instance) -> None:
    before = provider.traces()
    done = provider.run("create", instance, check=True)
    assert (done.code, done.changed > 0) == (0, True), done.output
    assert provider.traces() == before


def test_create_leaves_a_guest_that_answers(created: Created) -> None:
    _, outcome = created
    assert outcome.code == 0, outcome.output
    assert set(outcome.facts["compute"]) >= {"server_id", "volume_id", "address", "image"}
    assert shell(created, "id --user").stdout == "0\n"
    assert shell(created, "systemctl is-system-running").stdout == "running\n"


def test_create_again_changes_nothing(provider: Provider, created: Created) -> None:
    done = provider.run("create", created[0])
    assert (done.code, done.changed) == (0, 0), done.output
    assert done.facts == created[1].facts


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
    assert shell(created, FILL_MEMORY.format(provider.data["flavor"]["ram"] + 60)).returncode != 0
    assert shell(created, FILL_MEMORY.format(100)).returncode == 0
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
    assert allow(f"{sources[0]}/32") == 1  # for what follows: stop, start and resume keep it


def test_the_volume_grows(provider: Provider, created: Created) -> None:
    since = started(created)
    assert size_of(created, DIRECTORY) == 1
    assert provider.run("grow_volume", created[0], coffer_volume_size=2).changed == 1
    assert provider.run("grow_volume", created[0], coffer_volume_size=2).changed == 0
    assert size_of(created, DIRECTORY) == 2
    assert (started(created) == since) != provider.data.get("grows_offline", False)


def test_a_larger_flavor_and_whether_it_restarts(provider: Provider, created: Created) -> None:
    since, larger = started(created), provider.data["larger"]
    assert provider.run("resize", created[0], coffer_flavor=larger).changed == 1
    assert provider.run("resize", created[0], coffer_flavor=larger).changed == 0
    assert shell(created, FILL_MEMORY.format(provider.data["flavor"]["ram"] + 60)).returncode == 0
    assert size_of(created, "/") == larger["disk"]
    assert (started(created) == since) != provider.data.get("restarts", False)


def test_stop_and_start_keep_everything(provider: Provider, created: Created) -> None:
    larger = {"coffer_flavor": provider.data["larger"], "coffer_volume_size": 2}
    assert shell(created, f"echo kept | tee {DIRECTORY}/kept /root/kept; sync").returncode == 0
    assert provider.run("stop", created[0]).changed == 1
    assert provider.run("stop", created[0]).changed == 0
    assert shell(created, "true").returncode == 255
    assert provider.run("resume").changed == 0
    assert provider.run("start", created[0]).changed == 1
    done = provider.run("start", created[0])
    assert (done.changed, done.facts) == (0, created[1].facts)
    assert shell(created, f"cat {DIRECTORY}/kept /root/kept").stdout == "kept\nkept\n"
    assert provider.run("create", created[0], **larger).changed == 0


def test_a_guest_that_powers_off_comes_back(provider: Provider, created: Created) -> None:
    if provider.data.get("stays_off"):
        pytest.skip("guests of this provider that power off stay so until they are started")
    since = started(created)
    shell(created, "systemctl poweroff")
    deadline = time.monotonic() + 30
    while (now := started(created)) in {"", since} and time.monotonic() < deadline:
        time.sleep(0.2)
    assert now not in {"", since}


def test_facts_change_nothing(provider: Provider, created: Created) -> None:
    done = provider.run("facts", created[0])
    assert (done.changed, done.facts) == (0, created[1].facts)


def test_resume_after_a_restart_of_the_host(provider: Provider, created: Created) -> None:
    outage = [provider.fill(line, created[0]) for line in provider.data.get("outage", [])]
    if not outage:
        pytest.skip("guests of this provider do not live on the control host")
    for line in outage:
        subprocess.run(["sh", "-c", line], check=True, capture_output=True, text=True)
    done = provider.run("resume")
    assert (done.code, done.changed) == (0, 1), done.output
    assert provider.run("resume").changed == 0
    assert provider.run("start", created[0]).code == 0
    assert shell(created, f"cat {DIRECTORY}/kept /root/kept").stdout == "kept\nkept\n"
    sources = [provider.fill(host) for host in provider.data.get("sources", [])]
    shell(created, LISTEN.format(3306))
    address = created[1].facts["compute"]["address"]
    assert [connects(source, address, 3306) for source in sources] == [True, False][: len(sources)]


def words(created: Created, *, write: str = "") -> list[str]:
    """What root disk and data volume say, in this order; `write` is said first."""
    files = f"/root/word {DIRECTORY}/word"
    if write:
        assert shell(created, f"echo {write} | tee {files} && sync {files}").returncode == 0
    return shell(created, f"cat {files}").stdout.split()


def test_a_snapshot_is_the_way_back(provider: Provider, created: Created) -> None:
    # given a snapshot of a guest that runs, when both disks change
    instance = created[0]
    words(created, write="before")
    taken = provider.run("snapshot", instance, coffer_snapshot="s1")
    assert (taken.code, taken.changed) == (0, 1), taken.output
    assert provider.run("snapshot", instance, coffer_snapshot="s1").changed == 0
    words(created, write="after")
    # then a rollback brings what was, once; what is written after that stays
    back = provider.run("rollback", instance, coffer_snapshot="s1")
    assert (back.code, back.changed > 0) == (0, True), back.output
    assert words(created) == ["before", "before"]
    words(created, write="later")
    again = provider.run("rollback", instance, coffer_snapshot="s1")
    assert (again.code, again.changed) == (0, 0), again.output
    assert words(created) == ["later", "later"]


def disks_of(provider: Provider) -> list[str]:
    """What the control host has of disks."""
    traces = provider.traces()
    return [traces[key] for key in provider.data["disks"]]


def test_the_root_disk_alone_goes_back(provider: Provider, created: Created) -> None:
    instance, before = created[0], disks_of(provider)
    words(created, write="before")
    assert provider.run("snapshot", instance, coffer_snapshot="s2").code == 0
    words(created, write="after")
    back = provider.run("rollback", instance, coffer_snapshot="s2", coffer_snapshot_disks=["root"])
    assert back.code == 0, back.output
    assert words(created) == ["before", "after"]
    forgotten = provider.run("forget_snapshot", instance, coffer_snapshot="s2")
    assert (forgotten.code, forgotten.changed) == (0, 1), forgotten.output
    assert disks_of(provider) == before


def test_a_rebuild_brings_a_new_root_disk_and_keeps_the_rest(
    provider: Provider, created: Created
) -> None:
    # given a guest with words on both disks, and a snapshot
    instance, before = created[0], disks_of(provider)
    words(created, write="before")
    assert provider.run("snapshot", instance, coffer_snapshot="s4").code == 0
    # when it is rebuilt, then its data, its address and its key are what they were
    done = provider.run("rebuild", instance)
    assert (done.code, done.changed) == (0, 1), done.output
    assert done.facts["compute"]["address"] == created[1].facts["compute"]["address"]
    assert shell(created, f"cat /root/word {DIRECTORY}/word 2>/dev/null").stdout == "before\n"
    # and the snapshot is still the way back
    words(created, write="after")
    back = provider.run("rollback", instance, coffer_snapshot="s4", coffer_snapshot_disks=["root"])
    assert back.code == 0, back.output
    assert words(created) == ["before", "after"]
    assert provider.run("forget_snapshot", instance, coffer_snapshot="s4").code == 0
    assert disks_of(provider) == before


def test_a_rollback_that_dies_is_finished_by_the_next(provider: Provider, created: Created) -> None:
    instance, before = created[0], disks_of(provider)
    words(created, write="before")
    assert provider.run("snapshot", instance, coffer_snapshot="s3").code == 0
    words(created, write="after")
    process = provider.start("rollback", instance, coffer_snapshot="s3")
    moment = provider.data["interrupted_rollback"]
    path = Path(provider.fill(moment.get("file") or moment["gone"], instance))
    wait_until(moment, path, process)
    kill_all(process)
    done = provider.run("rollback", instance, coffer_snapshot="s3")
    assert done.code == 0, done.output
    assert words(created) == ["before", "before"]
    assert disks_of(provider) == before


@pytest.mark.usefixtures("created")
def test_delete_what_never_was(provider: Provider, instance: Instance) -> None:
    before = provider.traces()
    done = provider.run("delete", instance)
    assert (done.code, done.changed, done.facts) == (0, 0, {"compute": {}}), done.output
    assert provider.traces() == before


@pytest.mark.usefixtures("created")
def test_delete_leaves_nothing(provider: Provider, instance: Instance) -> None:
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
