"""Redis with sentinels: when its server dies, the service goes on with the one that follows it."""

import shlex
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from coffer.redis_urls import connect_redis
from tests.clients.service import Service, free_port
from tests.e2e.api import Api
from tests.e2e.waiting import wait_for

MONITOR = """port {port}
dir {home}
sentinel monitor coffer 127.0.0.1 {server} 1
sentinel down-after-milliseconds coffer 1000
sentinel failover-timeout coffer 5000
sentinel auth-pass coffer of-the-servers
requirepass of-the-sentinel
"""
SERVER = (
    'redis-server --port {port} --bind 127.0.0.1 --dir {home} --save ""'
    " --repl-diskless-sync-delay 0 --requirepass of-the-servers --masterauth of-the-servers"
)
PROVIDER = """
[provider_settings]
compute_local_prefix = "coffn"
compute_local_bridge = "coffnbr"
compute_local_subnet = "10.79.251.0/24"
compute_local_state_dir = "{home}/state"
"""


class Servers:
    """Two servers, of which one follows the other, and a sentinel that watches them."""

    def __init__(self, home: Path, stack: ExitStack) -> None:
        self._home, self._stack = home, stack
        first, second, sentinel = (free_port() for _ in range(3))
        self.url = (
            f"redis+sentinel://:of-the-servers@127.0.0.1:{free_port()},127.0.0.1:{sentinel}"
            "/coffer/1?sentinel_password=of-the-sentinel"
        )
        self.serving = self._start(SERVER.format(port=first, home=home))
        self._start(f"{SERVER.format(port=second, home=home)} --replicaof '127.0.0.1 {first}'")
        follower = connect_redis(f"redis://:of-the-servers@127.0.0.1:{second}")
        wait_for("it follows", lambda: follower.info()["master_link_status"] == "up")
        configuration = home / "sentinel.conf"
        configuration.write_text(MONITOR.format(port=sentinel, home=home, server=first))
        self._start(f"redis-server {configuration} --sentinel")
        watching = connect_redis(f"redis://:of-the-sentinel@127.0.0.1:{sentinel}")
        wait_for(
            "the sentinel knows both",
            lambda: watching.execute_command("SENTINEL", "REPLICAS", "coffer"),
        )

    def _start(self, command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(shlex.split(command), cwd=self._home, stdout=subprocess.DEVNULL)
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(tmp_path, stack)


def work(api: Api, name: str) -> None:
    """Queue an operation, which a worker's playbook refuses: the image is not there."""
    wish = {"name": name, "flavorRef": "small", "volume": {"size": 1}}
    body = {"instance": {**wish, "datastore": {"type": "mysql"}}}
    operation = api.send("POST", "/instances", body).operation
    wait_for(f"{name} is worked on", lambda: api.operation(operation)["state"] == "failed")
    assert "image" in api.operation(operation)["reason"]


def test_a_failover_is_ridden_out(servers: Servers, tmp_path: Path) -> None:
    service = Service(tmp_path, PROVIDER.format(home=tmp_path), servers.url)
    service.manage("datastore", "register", "mysql", "--image", "not-there")
    api = Api(service.url, service.tokens["admin"])
    with service.running(("work", "sweep", "cron")):
        work(api, "before")
        servers.serving.kill()
        work(api, "after")


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://",
        "redis+sentinel://one:26379,two",
        "redis+sentinel://one:26379/coffer/zero",
        "redis+sentinel://one:port/coffer",
    ],
)
def test_a_malformed_url_names_its_setting(url: str) -> None:
    with pytest.raises(ValueError, match="redis_url: "):
        connect_redis(url)
