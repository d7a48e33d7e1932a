#!/usr/bin/python3 -SsE
"""Tells the condition of this MongoDB as one JSON object.

The agent runs it as its own user, which has a key of its own; the server lets that key write one
heartbeat, and see names.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, "/usr/local/lib/coffer/mongodb")
from coffer_mongodb import CommandError, Connection, lists

PIDFILE = Path("/run/mongodb/mongod.pid")
SETTINGS = json.loads(Path("/usr/local/lib/coffer/mongodb/probe.json").read_text())
# Everything else that serverStatus tells is not asked for.
UNASKED = """
asserts catalogStats defaultRWConcern electionMetrics extra_info flowControl globalLock
indexBulkBuilder indexStats locks logicalSessionRecordCache metrics mirroredReads network opcounters
opcountersRepl opLatencies opReadConcernCounters oplogTruncation readConcernCounters repl scramCache
security storageEngine tcmalloc tenantMigrations trafficRecording transactions transportSecurity
twoPhaseCommitCoordinator watchdog wiredTiger writeBacksQueued
"""
LITTLE = dict.fromkeys(UNASKED.split(), 0)


def condition() -> dict[str, Any]:
    """What there is, and whether it can be written and read."""
    server = Connection(SETTINGS["port"], "agent", timeout=3)
    hello = server.command("admin", {"hello": 1})
    if not hello.get("isWritablePrimary") and not hello.get("secondary"):
        return {"state": "BLOCKED", "message": "the replica set has no primary here"}
    beats = _beats(server, hello)
    status = server.command("admin", {"serverStatus": 1, **LITTLE})
    return {
        "state": "HEALTHY" if beats else "FAILED",
        "version": status["version"],
        "uptime": int(status["uptime"]),
        "connections": status["connections"]["current"],
        **lists(server, SETTINGS["reserved"], shown),
    }


def shown(database: str, held: set[str]) -> dict[str, str]:
    """A grant as lists show it: without the kind of access where that is the default."""
    kinds = [kind for kind, roles in SETTINGS["access"].items() if set(roles) == held]
    kind = kinds[0] if kinds else "custom"
    return {"name": database, **({} if kind == SETTINGS["default_access"] else {"access": kind})}


def _beats(server: Connection, hello: dict[str, Any]) -> bool:
    """Whether what is read is as new as what was just written; each member has its own row.

    Newer is as good: somebody else may ask at the same time.
    """
    row, now = {"_id": hello["me"]}, time.time_ns()
    if hello["isWritablePrimary"]:
        change = {"q": row, "u": {"$max": {"at": now}}, "upsert": True}
        server.command("coffer", {"update": "heartbeat", "updates": [change]})
    found = server.command("coffer", {"find": "heartbeat", "filter": row, "limit": 1})
    batch = found["cursor"]["firstBatch"]
    return not hello["isWritablePrimary"] or any(each["at"] >= now for each in batch)


def state_of(error: Exception) -> str:
    """What the failure of the probe says about the engine."""
    if isinstance(error, TimeoutError):
        return "BLOCKED"
    try:
        number = int(PIDFILE.read_text())
    except (OSError, ValueError):
        return "SHUTDOWN"
    if isinstance(error, CommandError):
        return "FAILED"
    return "BLOCKED" if Path(f"/proc/{number}").exists() else "FAILED"


def main() -> None:
    """Print the condition; never fail."""
    try:
        said = condition()
    except Exception as error:
        said = {"state": state_of(error), "message": str(error)[:300]}
    print(json.dumps(said))
    sys.stdout.flush()
    # Taking the interpreter down would cost as much as the questions did.
    os._exit(0)


if __name__ == "__main__":
    main()
