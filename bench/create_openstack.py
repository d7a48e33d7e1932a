"""POST to ACTIVE and HEALTHY in an OpenStack cloud, by phase: what is Nova's, and what is ours.

    /opt/coffer/bin/python bench/create_openstack.py --engine mariadb --flavor db.small [--runs 3]

Needs an installation whose provider is openstack, a baked image, and root. `nova` is from the
server's creation to its launch, `boot` from there until its SSH server greets this host: neither is
ours. All else is.
"""

import argparse
import socket
import statistics
import threading
import time
from datetime import UTC, datetime
from typing import Any

from client import Api
from create import create, phases
from openstack.config import OpenStackConfig
from openstack.connection import Connection

PHASES = "queue launch nova boot ours-in-boot ssh configure start watch verify record total".split()


def moment(text: str) -> float:
    """Seconds since the epoch of Nova's time, which is UTC."""
    return datetime.fromisoformat(text.rstrip("Z")).replace(tzinfo=UTC).timestamp()


class Observer(threading.Thread):
    """Sees from outside when the new server greets."""

    def __init__(self, cloud: Connection, prefix: str) -> None:
        super().__init__(daemon=True)
        self.cloud, self.prefix = cloud, prefix
        self.known = {server.id for server in cloud.compute.servers()}
        self.server: Any = None
        self.greeted = 0.0

    def run(self) -> None:
        while self.server is None:
            self.server = self._new()
            time.sleep(0.3)
        while not self.greeted:
            self.greeted = self._greets()

    def _new(self) -> Any:
        for server in self.cloud.compute.servers():
            ours = server.name.startswith(self.prefix) and server.id not in self.known
            if ours and server.launched_at and server.addresses:
                return server
        return None

    def _greets(self) -> float:
        host = next(iter(self.server.addresses.values()))[0]["addr"]
        try:
            with socket.create_connection((host, 22), timeout=1) as stream:
                return time.time() if stream.recv(4) == b"SSH-" else 0.0
        except OSError:
            time.sleep(0.1)
            return 0.0


def one_create(api: Api, cloud: Connection, wish: argparse.Namespace) -> dict[str, float]:
    """One instance, made, measured and deleted."""
    observer = Observer(cloud, wish.prefix)
    observer.start()
    now = time.time()
    instance, operation, total = create(api, wish.engine, wish.flavor, 1800)
    split = phases(api, operation, total, now % 86400)
    observer.join(10)
    launched = moment(observer.server.launched_at)
    split["nova"] = launched - moment(observer.server.created_at)
    # the first greeting may come from keys that user data is about to replace
    split["boot-to-ssh"] = observer.greeted - launched
    split["ours-in-boot"] = split["boot"] - split["nova"] - split["boot-to-ssh"]
    split["boot"] = split.pop("boot-to-ssh")
    _, deletion = api.call("DELETE", f"/instances/{instance}")
    while api.call("GET", f"/operations/{deletion}")[0]["operation"]["state"] != "succeeded":
        time.sleep(0.5)
    return split


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--engine", default="mariadb")
    parser.add_argument("--flavor", default="db.small")
    parser.add_argument("--cloud", default="coffer")
    parser.add_argument("--clouds-file", default="/etc/coffer/clouds.yaml")
    parser.add_argument("--prefix", default="coffer")
    wish = parser.parse_args()
    config = OpenStackConfig(config_files=[wish.clouds_file]).get_one(wish.cloud)
    api, cloud = Api(), Connection(config=config)
    rounds = [one_create(api, cloud, wish) for _ in range(wish.runs)]
    print(f"{'phase':<14}{'seconds':>10}")
    for phase in PHASES:
        print(f"{phase:<14}{statistics.median(each.get(phase, 0) for each in rounds):>10.2f}")
    ours = [each["total"] - each["nova"] - each["boot"] for each in rounds]
    print(f"ours, median of {len(rounds)}: {statistics.median(ours):.1f} s")


if __name__ == "__main__":
    main()
