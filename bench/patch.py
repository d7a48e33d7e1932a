"""A fleet patched in waves, beside one instance alone.

    .venv/bin/python bench/patch.py [--instances 8] [--wave 1,50%,100%]

Needs an installation (`make up`) with MariaDB's image (`coffer-manage image build mariadb`), and
root on its host. Makes the instances, puts a library of the engine's back to what the release came
with, patches one alone, then all in waves, deletes them, and prints a table. What is counted for an
instance is its operation's time from being asked for to its end, and the seconds in which nobody
could write. No backups are made.
"""

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from client import Api

AGENT = 2.5
"""Seconds in which an agent sees that its engine is another process, and says so."""
ENDED = ("done", "failed", "stopped", "aborted")
OLDER = """set -e
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
old=$(apt-cache madison libssl3 | awk '/ bookworm\\/main/ {print $3; exit}')
[ -n "$old" ]
apt-get install -qq -y --allow-downgrades "libssl3=$old" >/dev/null
systemctl restart mariadb"""


def main() -> None:
    """Make, patch, print, delete."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=8)
    parser.add_argument("--wave", default="1,50%,100%")
    parser.add_argument("--flavor", default="tiny")
    parser.add_argument("--prefix", default="coffer", help="of the provider's containers")
    options = parser.parse_args()
    api, ids = Api(), list[str]()
    try:
        make(api, ids, options.instances, options.flavor)
        age(api, ids, options.prefix)
        alone = patch(api, ids[:1], "100%")
        age(api, ids[:1], options.prefix)
        fleet = patch(api, ids, options.wave)
        show(alone, fleet, options.wave)
    finally:
        for ended in [api.call("DELETE", f"/instances/{key}")[1] for key in ids]:
            wait(api, ended)


def make(api: Api, ids: list[str], count: int, flavor: str) -> None:
    """So many MariaDBs; `ids` has those that were asked for, whatever happens."""
    begun = []
    for number in range(count):
        wish = {
            "name": f"bench-patch-{number}",
            "flavorRef": flavor,
            "volume": {"size": 1},
            "datastore": {"type": "mariadb"},
        }
        document, operation = api.call("POST", "/instances", {"instance": wish})
        ids.append(document["instance"]["id"])
        begun.append(operation)
    for operation in begun:
        wait(api, operation)


def age(api: Api, ids: list[str], prefix: str) -> None:
    """An older library in each guest, whose engine is well again when this returns."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda key: shell(f"{prefix}-{key}", OLDER), ids))
    time.sleep(AGENT)
    for key in ids:
        while instance(api, key)["operating_status"] != "HEALTHY":
            time.sleep(0.5)


def instance(api: Api, key: str) -> Any:
    """The instance as it stands."""
    return api.call("GET", f"/instances/{key}")[0]["instance"]


def shell(container: str, script: str) -> None:
    """Run a script in a guest."""
    subprocess.run(["podman", "exec", container, "sh", "-c", script], check=True)


def patch(api: Api, ids: list[str], waves: str) -> tuple[float, list[Any]]:
    """Seconds of a run, and its instances."""
    wish = {"instances": ids, "waves": waves, "backup": False}
    started = time.monotonic()
    run = api.call("POST", "/patches", {"patch": wish})[0]["patch"]
    while run["state"] not in ENDED:
        time.sleep(0.2)
        run = api.call("GET", f"/patches/{run['id']}")[0]["patch"]
    total = time.monotonic() - started
    if run["state"] != "done":
        sys.exit(f"the run {run['state']}: {run['reason']}")
    if not all(row["changes"] and row["restart"] for row in run["instances"]):
        sys.exit("an instance had nothing to patch: what is printed would say nothing")
    return total, run["instances"]


def wait(api: Api, operation: str) -> None:
    """Until it has ended well."""
    while True:
        row = api.call("GET", f"/operations/{operation}")[0]["operation"]
        if row["ended"]:
            if row["state"] != "succeeded":
                sys.exit(f"{row['kind']} {row['state']}: {row['reason']}")
            return
        time.sleep(0.2)


def show(alone: tuple[float, list[Any]], fleet: tuple[float, list[Any]], waves: str) -> None:
    """The table."""
    load = os.getloadavg()[0]
    print(f"{'':24}{'total s':>10}{'an instance s':>15}{'without writes s':>18}")
    for title, (total, rows) in (("one alone", alone), (f"{len(fleet[1])} in {waves}", fleet)):
        took = sum(row["seconds"] for row in rows) / len(rows)
        quiet = max(row["seconds_without_writes"] for row in rows)
        print(f"{title:24}{total:>10.1f}{took:>15.1f}{quiet:>18.1f}")
    ratio = fleet[0] / alone[0]
    print(f"the fleet took {ratio:.1f} times as long as one alone (load {load:.1f})")


if __name__ == "__main__":
    main()
