"""What people wait for: a database or a user created through the API, POST to visible.

    /opt/coffer/bin/python bench/small_ops.py [--instance demo] [--runs 10]

Visible means: the list that the API gives has it. Prints seconds, and where they went: until
Ansible's first step began (launch: queue, worker, start), the step in the guest (step), and
until the list had it (record).
"""

import argparse
import statistics
import time
import uuid
from typing import Any

from client import Api

PHASES = ("launch", "step", "record", "total")


def seconds(text: str) -> float:
    """A timestamp of an event, as seconds of its day."""
    clock = text[11:-1].split(":")
    return int(clock[0]) * 3600 + int(clock[1]) * 60 + float(clock[2])


def once(api: Api, instance: str, collection: str, row: dict[str, Any]) -> dict[str, float]:
    """Create one, wait until it is listed, take the time apart, delete it again."""
    posted = time.time() % 86400
    began = time.monotonic()
    _, operation = api.call("POST", f"/instances/{instance}/{collection}", {collection: [row]})
    while all(
        seen["name"] != row["name"]
        for seen in api.call("GET", f"/instances/{instance}/{collection}")[0][collection]
    ):
        time.sleep(0.01)
    total = time.monotonic() - began
    events = api.call("GET", f"/operations/{operation}/events")[0]["events"]
    first, last = seconds(events[0]["at"]), seconds(events[-1]["at"])
    _, deletion = api.call("DELETE", f"/instances/{instance}/{collection}/{row['name']}")
    while api.call("GET", f"/operations/{deletion}")[0]["operation"]["state"] != "succeeded":
        time.sleep(0.05)
    split = {"launch": first - posted, "step": last - first, "total": total}
    return split | {"record": posted + total - last}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instance", default="demo")
    parser.add_argument("--runs", type=int, default=10)
    arguments = parser.parse_args()
    api = Api()
    instance = api.instance(arguments.instance)
    print(f"{'':<12}" + "".join(f"{phase:>9}" for phase in PHASES))
    for collection in ("databases", "users"):
        runs = []
        for _ in range(arguments.runs):
            name = f"bench{uuid.uuid4().hex[:12]}"
            row = {"name": name} | ({"password": uuid.uuid4().hex} if collection == "users" else {})
            runs.append(once(api, instance, collection, row))
        for label, pick in (("median", statistics.median), ("slowest", max)):
            cells = "".join(f"{pick([run.get(p, 0) for run in runs]):>9.2f}" for p in PHASES)
            print(f"{collection[:-1]} {label:<7}"[:12].ljust(12) + cells)


if __name__ == "__main__":
    main()
