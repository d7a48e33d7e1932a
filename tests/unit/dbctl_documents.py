"""What the small API of the clients' tests answers with."""

from __future__ import annotations

from typing import Any

PROJECT = "main"
TOKEN = "test-token"
CA = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
VERSION = {"id": "v-97", "name": "9.7", "version": "9.7.4"}
DATASTORE = {"id": "d-1", "name": "mysql", "default_version": "v-97", "versions": [VERSION]}
FLAVORS = [
    {"id": None, "str_id": "large", "name": "large", "ram": 4096, "vcpus": 4, "disk": 10},
    {"id": None, "str_id": "small", "name": "small", "ram": 1024, "vcpus": 1, "disk": 10},
]
CONNECTION = {
    "engine": "mysql",
    "host": "10.77.0.9",
    "port": 3306,
    "uri": "mysql://{user}@{host}:{port}/{database}?ssl-mode=VERIFY_IDENTITY",
    "clients": [
        {"program": "no-such-client", "arguments": ["{host}"]},
        {
            "program": "mariadb",
            "arguments": [
                "--host={host}", "--port={port}", "--user={user}", "--ssl-ca={ca}",
                "--password", "--database={database}",
            ],
        },
    ],
}  # fmt: skip
STEPS = (
    ("compute_local", "Create the guest"),
    ("compute_local", "Wait for its SSH"),
    ("engine_mysql", "Start MySQL"),
    ("engine_mysql", "Prove that it reads and writes"),
)


def steps(states: tuple[str, ...] = ("ok",) * 4, attempt: int = 1) -> list[dict[str, Any]]:
    """The events of a run whose tasks end in `states`."""
    events = []
    for (role, task), state in zip(STEPS, states, strict=False):
        common = {"attempt": attempt, "play": "Create", "task": task, "role": role, "host": "db1"}
        events.append(common | {"state": "started", "seconds": None, "message": None})
        events.append(common | {"state": state, "seconds": 0.5, "message": None})
    return events
