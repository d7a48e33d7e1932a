"""A fleet of instances in the records, and workers that end operations as a test says."""

from datetime import datetime
from typing import Any

from coffer.clock import utcnow
from coffer.database import database, transaction
from coffer.lifecycle import close
from coffer.models import DatastoreVersion, Instance, Operation
from coffer.operations import ACTIVE_STATES, State
from tests.api.conftest import Api

PATCHED = {
    "patch": {"packages": [{"name": "p", "from": "1", "to": "2", "origin": "s"}], "engine": {}}
}
BACKUP = {"snapshot": "s", "size": 1, "stored": 1, "seconds": 1.0, "details": {}}


class Fleet:
    """Instances by name."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.ids: dict[str, str] = {}

    def add(self, *names: str, project: str = "p1", **more: Any) -> None:
        """Instances that run."""
        with database.connection_context():
            for name in names:
                row = Instance.create(
                    project_id=project,
                    name=name,
                    version=DatastoreVersion.get(),
                    provider="local",
                    flavor_id="small",
                    volume_size=1,
                    state="ACTIVE",
                    operating_status="HEALTHY",
                    host_key_public="k",
                    compute={"address": "192.0.2.9"},
                    **more,
                )
                self.ids[name] = row.id

    def post(self, body: dict[str, Any], **more: Any) -> Any:
        """POST /patches."""
        return self.api.call("POST", "/patches", {"patch": body}, **more)

    def start(self, **wanted: Any) -> str:
        """A run without backups, of all MySQLs where nothing is said; its id."""
        answer = self.post({"selector": {"engine": "mysql"}, "backup": False} | wanted)
        assert answer.status_code == 202, answer.text
        return str(answer.json["patch"]["id"])

    def show(self, run: str) -> Any:
        """The run."""
        return self.api.call("GET", f"/patches/{run}").json["patch"]

    def states(self, run: str) -> dict[str, str]:
        """Instances' states by name."""
        return {row["instance"]: row["state"] for row in self.show(run)["instances"]}

    def act(self, run: str, body: dict[str, Any]) -> Any:
        """POST an action."""
        return self.api.call("POST", f"/patches/{run}/action", body)

    def under_way(self) -> list[str]:
        """`name: kind` of what is under way."""
        with database.connection_context():
            rows = Operation.select().where(Operation.state.in_(ACTIVE_STATES))
            return sorted(f"{row.instance.name}: {row.kind}" for row in rows)

    def end(self, *failing: str, facts: dict[str, Any] | None = None) -> None:
        """End everything that is under way, badly for the instances named; a worker tells it."""
        with database.connection_context():
            for row in list(Operation.select().where(Operation.state.in_(ACTIVE_STATES))):
                bad = row.instance.name in failing or row.abort_requested
                state = State.ABORTED if row.abort_requested else State.FAILED
                with transaction():
                    close(
                        row.id,
                        state if bad else State.SUCCEEDED,
                        "it broke" if bad else None,
                        "Prove" if bad else None,
                        {} if bad else facts or PATCHED | {"backup": BACKUP},
                        utcnow(),
                    )
                self.api.services.patch_rounds.after(Operation.get_by_id(row.id))

    def sweep(self, now: datetime | None = None) -> None:
        """A round of the sweeper."""
        with database.connection_context():
            self.api.services.patch_rounds.go_on(now or utcnow())
