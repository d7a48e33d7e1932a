"""A real Swift of one node on this host, which speaks S3 too: what backups may lie in."""

import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.site import NUMBER

PORT = 18900 + int(NUMBER)
PORTS = {"proxy": PORT, "account": PORT + 100, "container": PORT + 200, "object": PORT + 300}
MEMCACHED = PORT + 400
USER, KEY = "coffer:backups", "key-of-the-store"
REMOTES = {
    "s3": {
        "type": "s3",
        "provider": "Other",
        "endpoint": f"http://127.0.0.1:{PORT}",
        "region": "us-east-1",
        "access_key_id": USER,
        "secret_access_key": KEY,
    },
    "swift": {
        "type": "swift",
        "auth": f"http://127.0.0.1:{PORT}/auth/v1.0",
        "auth_version": "1",
        "user": USER,
        "key": KEY,
    },
}
"""As in the variable `control_plane_rclone`."""
_STORAGE = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = root
swift_dir = {place}
devices = {place}/node
mount_check = false
fallocate_reserve = 0
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
"""
_PROXY = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = root
swift_dir = {place}
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache s3api tempauth copy slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
[filter:tempauth]
use = egg:swift#tempauth
user_{user} = {key} .admin
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memcached}
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
location = us-east-1
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
"""


@contextmanager
def object_store(place: Path) -> Iterator[None]:
    """The servers, ready; `place` must be on a file system with extended attributes."""
    (place / "node/d1").mkdir(parents=True)
    for name, port in PORTS.items():
        if name != "proxy":
            _make_ring(place, name, port)
        _configure(place, name, port)
    with ExitStack() as running:
        told = ["memcached", "-u", "root", "-l", "127.0.0.1", "-p", str(MEMCACHED), "-U", "0"]
        running.enter_context(_server(told, place / "memcached.log"))
        for name in PORTS:
            command = [f"swift-{name}-server", str(place / f"{name}-server.conf")]
            running.enter_context(_server(command, place / f"{name}.log"))
        _wait(place)
        yield


def _configure(place: Path, name: str, port: int) -> None:
    form = _PROXY if name == "proxy" else _STORAGE
    known = {"user": USER.replace(":", "_"), "key": KEY, "memcached": MEMCACHED}
    text = form.format(name=name, port=port, place=place, **known)
    (place / f"{name}-server.conf").write_text(text)


def _make_ring(place: Path, name: str, port: int) -> None:
    builder = str(place / f"{name}.builder")
    device = f"r1z1-127.0.0.1:{port}/d1"
    for words in (["create", "4", "1", "0"], ["add", device, "1"], ["rebalance"]):
        command = ["swift-ring-builder", builder, *words]
        subprocess.run(command, check=True, capture_output=True, timeout=60)


@contextmanager
def _server(command: list[str], log: Path) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            yield
        finally:
            process.kill()
            process.wait()


def _wait(place: Path) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        try:
            for port in PORTS.values():
                socket.create_connection(("127.0.0.1", port), 1).close()
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/healthcheck", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError((place / "proxy.log").read_text())
