"""A stock image opened on this host and packed again: a real tree, without a cloud."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.roles.provider import Provider

pytestmark = pytest.mark.guests
ROLE = Path(__file__).parents[2] / "roles/compute_openstack"
STOCK = Path("/var/cache/coffer/images/debian-bookworm")
GIB = 1024**3


@pytest.fixture
def opened(provider: Provider, tmp_path: Path, tree_module: ModuleType) -> Iterator[Any]:
    """The tree, made of the local provider's stock image; `shell` runs a command in it."""
    if provider.name != "local":
        pytest.skip("about a disk on this host")
    raw, image = tmp_path / "raw", tmp_path / "image"
    with raw.open("wb") as file:
        file.truncate(GIB)
    run("mkfs.ext4", "-q", "-F", "-d", STOCK.resolve(), raw)
    run("qemu-img", "convert", "-O", "qcow2", raw, image)
    raw.unlink()
    for key in ("host_key", "login_key"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / key)
    tree = tree_module.Tree(tmp_path / "place")

    def download(_: object, *, stream: bool, output: str) -> None:
        assert stream  # it may be larger than the memory
        shutil.copy(image, output)

    cloud = SimpleNamespace(image=SimpleNamespace(download_image=download))
    script = (ROLE / "files/enter.sh").read_text()
    stock = SimpleNamespace(disk_format="qcow2")
    try:
        port = tree.open(SimpleNamespace(cloud=cloud), stock, 2, tmp_path, script)
        yield tree, lambda command: shell(tmp_path, port, command)
    finally:
        tree.remove()


def run(*command: object) -> str:
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def shell(keys: Path, port: int, command: str) -> str:
    """Over SSH, as roles do it."""
    known = keys / "known_hosts"
    known.write_text(f"builder {(keys / 'host_key.pub').read_text()}")
    options = f"-o UserKnownHostsFile={known} -o HostKeyAlias=builder -o StrictHostKeyChecking=yes"
    words = ["-p", port, "-i", keys / "login_key", *options.split(), "root@127.0.0.1", command]
    return run("ssh", "-o", "IdentitiesOnly=yes", *words)


def test_what_is_done_in_a_tree_is_in_the_image(opened: Any, tmp_path: Path) -> None:
    # given a tree with more room than the image had, in which no service can start
    tree, do = opened
    assert int(do("df --output=size --block-size=1M / | tail -n 1")) > 1500
    assert do("systemctl enable ssh && systemctl is-enabled ssh").strip() == "enabled"
    assert do("command -v invoke-rc.d && invoke-rc.d ssh start").startswith("/run/")
    assert do("ps -o comm= -p 1").strip() == "sshd"
    # when something is left in it
    do("grep nameserver /etc/resolv.conf && echo kept >/srv/word")
    image = tree.pack("qcow2")
    # then the image has it, and is whole; and of the tree nothing is in use
    run("qemu-img", "convert", "-O", "raw", image, tmp_path / "packed")
    run("e2fsck", "-f", "-n", tmp_path / "packed")
    assert run("debugfs", "-R", "cat /srv/word", tmp_path / "packed") == "kept\n"
    assert str(tree.place) not in run("losetup", "--list") + Path("/proc/mounts").read_text()
    tree.remove()
    assert not tree.exists


def test_a_dead_run_is_cleared_away(opened: Any) -> None:
    tree, do = opened
    assert do("echo alive") == "alive\n"
    tree.remove()
    assert not tree.exists
    with pytest.raises(AssertionError, match="refused"):
        do("true")
