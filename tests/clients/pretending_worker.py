"""Takes operations as a worker does and ends them well, with the lists that a guest would bring."""

import base64
import gzip
import time
from typing import Any

from coffer.clock import utcnow
from coffer.database import connect, database
from coffer.lifecycle import end, lease
from coffer.log_ends import sealed_piece
from coffer.models import Instance, Operation
from coffer.operations import State, secret_of
from coffer.redis_urls import connect_redis
from coffer.secrets import Vault
from coffer.settings import load_settings
from worker.context import make_context

LINES = "one\ntwo\n"
"""What a guest writes to a log between two looks."""
Rows = list[dict[str, Any]]


def main() -> None:
    """Until it is killed."""
    settings = load_settings()
    connect(settings.database_url)
    vault = Vault.from_file(settings.key_file)
    patch_rounds = make_context(settings, connect_redis(settings.redis_url)).patch_rounds
    while True:
        with database.connection_context():
            Instance.update(operating_status="HEALTHY").where(
                Instance.operating_status == "ERROR"  # the guest's next report
            ).execute()
            waiting = Operation.select().where(Operation.state == State.QUEUED)
            for row in list(waiting.order_by(Operation.created)):
                operation = lease(row.id, "pretender")
                if operation:
                    work(operation, vault)
            patch_rounds.go_on(utcnow())
        time.sleep(0.02)


def work(operation: Operation, vault: Vault) -> None:
    """End one operation."""
    instance = Instance.get_by_id(operation.instance_id)
    asked = vault.all(instance).get(secret_of(operation.id), {})
    observed = instance.observed
    facts: dict[str, Any] = {
        "databases": after(observed.get("databases") or [], asked.get("coffer_databases") or []),
        "users": users_after(observed.get("users") or [], asked.get("coffer_users") or []),
    }
    if operation.kind == "log_read":
        content = base64.b64encode(gzip.compress(LINES.encode())).decode()
        facts["log"] = {"file": 1, "position": len(LINES), "size": len(LINES), "content": content}
        facts = sealed_piece(vault, facts)
    if operation.kind.startswith("instance_patch"):
        packages = [{"name": "libc6", "from": "1", "to": "2", "origin": "Debian-Security"}]
        facts["patch"] = {"packages": packages, "engine": {}, "seconds_without_writes": 0.5}
    if operation.kind == "backup_create":
        sizes = {"size": 1, "stored": 1, "seconds": 0.1}
        facts["backup"] = {"snapshot": "s", **sizes, "details": {}}
    if operation.kind in ("instance_create", "replica_create"):
        facts["compute"] = {"address": "192.0.2.9", "server_id": "s1", "volume_id": "v1"}
    if operation.kind != "instance_delete":
        Instance.update(operating_status="HEALTHY").where(Instance.id == instance.id).execute()
    end(operation, State.SUCCEEDED, facts=facts)


def after(there: Rows, asked: Rows) -> Rows:
    """Databases once what was asked for is done."""
    names = {row["name"]: {"name": row["name"]} for row in there}
    for row in asked:
        if row.get("state") == "absent":
            names.pop(row["name"], None)
        else:
            names[row["name"]] = {"name": row["name"]}
    return list(names.values())


def users_after(there: Rows, asked: Rows) -> Rows:
    """Users likewise; no password is kept."""
    users = {(row["name"], row["host"]): dict(row) for row in there}
    for row in asked:
        key = (row["name"], row["host"])
        user = users.pop(key, {"name": key[0], "host": key[1], "databases": []})
        if row.get("state") == "absent":
            continue
        given = [*(row.get("databases") or []), *(row.get("grant") or [])]
        gone = {item["name"] for item in row.get("revoke") or []}
        names = {item["name"] for item in [*user["databases"], *given]} - gone
        name, host = row.get("new_name", key[0]), row.get("new_host", key[1])
        rows = [{"name": name} for name in sorted(names)]
        users[name, host] = {"name": name, "host": host, "databases": rows}
    return list(users.values())


if __name__ == "__main__":
    main()
