"""POST to ACTIVE and HEALTHY, split by phase, beside a bare shell script that does the same.

    /opt/coffer/bin/python bench/create.py [--runs 5] [--engine mysql] [--flavor small]

Needs an installation (`make up`) and root. Each round creates an instance through the API and one
by bench/bare_create.sh, in turn, so that both see the same machine. Prints a table of medians.
"""

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from client import Api

HERE = Path(__file__).resolve().parent
IMAGES = Path("/var/cache/coffer/images")
PHASES = "queue launch boot ssh configure start watch verify record total".split()


def create(api: Api, engine: str, flavor: str, limit: float = 300) -> tuple[str, str, float]:
    """Create an instance and poll as a client would; seconds until it is usable."""
    wish = {
        "name": "bench",
        "flavorRef": flavor,
        "volume": {"size": 1},
        "datastore": {"type": engine},
        "databases": [{"name": "app"}],
        "users": [{"name": "app", "password": "bench-App-1", "databases": [{"name": "app"}]}],
    }
    began = time.monotonic()
    document, operation = api.call("POST", "/instances", {"instance": wish})
    instance = document["instance"]["id"]
    while True:
        row = api.call("GET", f"/instances/{instance}")[0]["instance"]
        if (row["status"], row["operating_status"]) == ("ACTIVE", "HEALTHY"):
            return instance, operation, time.monotonic() - began
        if row["status"] == "ERROR" or time.monotonic() - began > limit:
            sys.exit(f"the instance did not come up: {row.get('fault')}")
        time.sleep(0.02)


def seconds(text: str) -> float:
    """A timestamp of an event, as seconds of its day."""
    clock = text[11:-1].split(":")
    return int(clock[0]) * 3600 + int(clock[1]) * 60 + float(clock[2])


def phases(api: Api, operation: str, total: float, posted: float) -> dict[str, float]:
    """Seconds of each phase: a play of instance_create.yml, or its wait for SSH."""
    document = api.call("GET", f"/operations/{operation}/events")[0]
    events, queue = document["events"], document["operation"]["queued_seconds"]
    first = seconds(events[0]["at"])
    split = {"total": total, "queue": queue, "launch": first - posted - queue}
    begun: dict[str, float] = {}
    for event in events:
        begun.setdefault(phase_of(event), seconds(event["at"]))
    starts = [*begun.items(), ("", seconds(events[-1]["at"]))]
    for (name, start), (_, following) in itertools.pairwise(starts):
        if name in PHASES:
            split[name] = following - start
    split["record"] = posted + total - seconds(events[-1]["at"])
    return split


def phase_of(event: dict[str, str]) -> str:
    """Name of the phase that an event belongs to."""
    return "ssh" if event["task"] == "Wait for SSH" else event["play"].lower()


def one_create(api: Api, engine: str, flavor: str) -> dict[str, float]:
    """One instance, made, measured and deleted."""
    now = time.time()
    posted = now % 86400
    instance, operation, total = create(api, engine, flavor)
    split = phases(api, operation, total, posted)
    _, deletion = api.call("DELETE", f"/instances/{instance}")
    while api.call("GET", f"/operations/{deletion}")[0]["operation"]["state"] != "succeeded":
        time.sleep(0.1)
    return split


def one_bare() -> dict[str, float]:
    """One run of the shell script."""
    image = (IMAGES / "mysql-9.7").resolve()
    script = [str(HERE / "bare_create.sh"), str(image), sys.executable]
    found = subprocess.run(script, check=True, capture_output=True, text=True)
    split = {key: value / 1000 for key, value in json.loads(found.stdout).items() if key != "done"}
    return split | {"total": sum(split.values())}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--engine", default="mysql")
    parser.add_argument("--flavor", default="small")
    arguments = parser.parse_args()
    api = Api()
    rounds = []
    for _ in range(arguments.runs):
        rounds.append((one_create(api, arguments.engine, arguments.flavor), one_bare()))
    print(f"{'phase':<12}{'coffer s':>10}{'bare s':>10}")
    for phase in PHASES:
        ours = [mine.get(phase, 0) for mine, _ in rounds]
        bare = [other.get(phase, 0) for _, other in rounds]
        print(f"{phase:<12}{statistics.median(ours):>10.2f}{statistics.median(bare):>10.2f}")
    ratios = sorted(mine["total"] / other["total"] for mine, other in rounds)
    print(f"ratio of the totals, median of {len(rounds)}: {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
