"""A small Coffer API with canned documents, served over real HTTP for the tests of its clients."""

from __future__ import annotations

import json
import re
import socket
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.unit.dbctl_documents import (
    CA,
    CONNECTION,
    DATASTORE,
    FLAVORS,
    PROJECT,
    TOKEN,
    VERSION,
    steps,
)


@dataclass
class Script:
    """How an operation will go: the events it shows, a few each time it is asked, and its end."""

    events: list[dict[str, Any]] = field(default_factory=steps)
    end: str | None = "succeeded"
    each_time: int = 4
    failing_task: str | None = None
    reason: str | None = None


class Coffer:
    """The state behind the API; tests read and write it freely."""

    def __init__(self) -> None:
        self.instances: list[dict[str, Any]] = []
        self.backups: list[dict[str, Any]] = []
        self.operations: list[dict[str, Any]] = []
        self.scripts: dict[str, Script] = {}
        self.next_script = Script()
        self.users: list[dict[str, Any]] = []
        self.age = 0
        self.found: dict[str, Any] = {"written": True, "differences": []}
        self.inventory: dict[str, Any] = {"hosts": {}, "groups": {}, "known_hosts": []}
        self.checkup: list[dict[str, str]] = []
        self.page_size = 20
        self.requests: list[tuple[str, str, Any]] = []
        self.on_events: Callable[[], None] = lambda: None

    def add_instance(self, name: str, id_: str | None = None, **more: Any) -> dict[str, Any]:
        """An instance that runs."""
        row = {
            "id": id_ or str(uuid.uuid4()),
            "name": name,
            "status": "ACTIVE",
            "operating_status": "HEALTHY",
            "flavor": {"id": "small"},
            "datastore": {"type": "mysql", "version": "9.7", "version_number": "9.7.4"},
            "volume": {"size": 1, "used": 0.21},
            "ip": ["10.77.0.9"],
            "created": "2026-11-22T10:00:00",
            "updated": "2026-11-22T10:00:00",
        }
        self.instances.append(row | more)
        return self.instances[-1]

    def add_operation(self, kind: str, row: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A queued operation that will go as `next_script` says."""
        operation = {
            "id": str(uuid.uuid4()),
            "kind": kind,
            "instance_id": row["id"],
            "instance_name": row["name"],
            "project_id": PROJECT,
            "state": "queued",
            "attempt": 1,
            "attempts": 3,
            "created": "2026-11-22T10:00:00",
            "started": None,
            "ended": None,
            "deadline": "2026-11-22T10:20:00",
            "seconds": 0.0,
            "reason": None,
            "failing_task": None,
            "actions": ["abort"],
            "user": "dev",
            "request_id": "req-1",
        }
        self.operations.insert(0, operation | more)
        self.scripts[operation["id"]] = self.next_script
        return self.operations[0]

    def events(self, operation: dict[str, Any], after: int) -> dict[str, Any]:
        """The next few events; when there are no more, the operation is at its end."""
        self.on_events()
        script = self.scripts[operation["id"]]
        numbered = [
            event | {"id": number, "at": "2026-11-22T10:00:01.123Z"}
            for number, event in enumerate(script.events, 1)
        ]
        page = [event for event in numbered if event["id"] > after][: script.each_time]
        if operation["state"] == "queued":
            operation["state"] = "running"
        if not page and script.end and operation["state"] == "running":
            self.end(operation, script)
        return {"events": page, "operation": operation}

    @staticmethod
    def end(operation: dict[str, Any], script: Script) -> None:
        """End it as its script says."""
        operation |= {
            "state": script.end,
            "ended": "2026-11-22T10:00:09",
            "seconds": 9.0,
            "actions": [] if script.end == "succeeded" else ["retry"],
            "reason": script.reason,
            "failing_task": script.failing_task,
        }


class Answer(Exception):
    """An error answer."""

    def __init__(self, code: int, message: str, key: str = "itemNotFound") -> None:
        super().__init__(message)
        self.code = code
        self.body = {key: {"code": code, "message": message}}


Result = tuple[int, Any, str | None]


class Handler(BaseHTTPRequestHandler):
    """Routes; the state is the server's `coffer`."""

    protocol_version = "HTTP/1.1"
    # Headers and body in one segment: else Nagle and delayed ACK cost 40 ms an answer.
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Remember the connection, so that stopping the server ends it."""
        super().setup()
        self.server.connections.append(self.connection)  # type: ignore[attr-defined]

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        self.answer()

    do_POST = do_PUT = do_DELETE = do_GET

    def answer(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size)) if size else None
        self.coffer.requests.append((self.command, self.path, body))
        try:
            code, document, operation_id = self.route(body)
        except Answer as error:
            code, document, operation_id = error.code, error.body, None
        data = document.encode() if isinstance(document, str) else b""
        if isinstance(document, dict):
            data = json.dumps(document).encode()
        self.send_response(code)
        if operation_id:
            self.send_header("Coffer-Operation-Id", operation_id)
        self.send_header("Age", str(self.coffer.age))
        if code == 302:
            self.send_header("Location", f"http://{self.headers['Host']}/elsewhere")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    @property
    def coffer(self) -> Coffer:
        return self.server.coffer  # type: ignore[attr-defined,no-any-return]

    def route(self, body: Any) -> Result:
        parts = urlsplit(self.path)
        if parts.path == "/ca.pem":
            return 200, CA, None
        if self.headers.get("X-Auth-Token") != TOKEN:
            raise Answer(401, "The token is not valid.", "unauthorized")
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        path = parts.path.removeprefix(f"/v1.0/{PROJECT}")
        for method, pattern, handle in ROUTES:
            found = re.fullmatch(pattern, path)
            if found and method == self.command:
                return handle(self, query, body, *found.groups())
        code = 302 if path == "/flavors/moved" else 404
        raise Answer(code, f"There is nothing at {path}.")

    def find(self, rows: list[dict[str, Any]], id_: str) -> dict[str, Any]:
        for row in rows:
            if row["id"] == id_:
                return row
        raise Answer(404, f"{id_} is not there.")

    def page(self, key: str, rows: list[dict[str, Any]], query: dict[str, str]) -> Result:
        ids = [row["id"] for row in rows]
        start = ids.index(query["marker"]) + 1 if "marker" in query else 0
        limit = min(int(query.get("limit", 20)), self.coffer.page_size)
        shown = rows[start : start + limit]
        document: dict[str, Any] = {key: shown}
        if start + limit < len(rows):
            href = f"http://x/v1.0/{PROJECT}/{key}?limit={limit}&marker={shown[-1]['id']}"
            document["links"] = [{"rel": "next", "href": href}]
        return 200, document, None

    def backups(self, query: dict[str, str], _: Any, _id: str) -> Result:
        return self.page("backups", self.coffer.backups, query)

    def list_instances(self, query: dict[str, str], _: Any) -> Result:
        return self.page("instances", self.coffer.instances, query)

    def create(self, _: Any, body: Any) -> Result:
        wanted = body["instance"]
        if wanted.get("flavorRef") == "huge":
            raise Answer(400, "There is no flavor huge.", "badRequest")
        row = self.coffer.add_instance(wanted["name"], status="BUILD", operating_status="")
        operation = self.coffer.add_operation("instance_create", row)
        return 200, {"instance": row}, operation["id"]

    def one_instance(self, _: Any, __: Any, id_: str) -> Result:
        return 200, {"instance": self.find(self.coffer.instances, id_)}, None

    def delete(self, _: Any, __: Any, id_: str) -> Result:
        row = self.find(self.coffer.instances, id_)
        self.coffer.instances.remove(row)
        return 202, None, self.coffer.add_operation("instance_delete", row)["id"]

    def act(self, _: Any, body: Any, id_: str) -> Result:
        (verb,) = body
        row = self.find(self.coffer.instances, id_)
        return 202, None, self.coffer.add_operation(f"instance_{verb}", row)["id"]

    def connection(self, *_: Any) -> Result:
        return 200, {"connection": CONNECTION}, None

    def users(self, *_: Any) -> Result:
        return 200, {"users": self.coffer.users}, None

    def change(self, _: Any, __: Any, id_: str) -> Result:
        row = self.find(self.coffer.instances, id_)
        operation = self.coffer.add_operation("user_change", row)
        return 202, None, operation["id"]

    def diff(self, _: Any, __: Any, id_: str) -> Result:
        row = self.find(self.coffer.instances, id_)
        operation = self.coffer.add_operation("configuration_diff", row)
        operation["result"] = {"settings": self.coffer.found}
        return 202, None, operation["id"]

    def list_operations(self, query: dict[str, str], _: Any) -> Result:
        rows = self.coffer.operations
        for key in ("instance_id", "state"):
            rows = [row for row in rows if query.get(key, row[key]) == row[key]]
        return self.page("operations", rows, query)

    def one_operation(self, _: Any, __: Any, id_: str) -> Result:
        return 200, {"operation": self.find(self.coffer.operations, id_)}, None

    def events(self, query: dict[str, str], _: Any, id_: str) -> Result:
        operation = self.find(self.coffer.operations, id_)
        return 200, self.coffer.events(operation, int(query.get("after", 0))), None

    def act_on_operation(self, _: Any, body: Any, id_: str) -> Result:
        operation = self.find(self.coffer.operations, id_)
        (verb,) = body
        if verb not in operation["actions"]:
            raise Answer(422, f"A {operation['state']} operation takes no {verb}.", "unprocessable")
        script = self.coffer.scripts[id_]
        if verb == "abort":
            operation |= {"state": "aborted", "actions": ["retry"]}
        else:
            operation |= {"state": "queued", "attempt": operation["attempt"] + 1}
            script.events += steps(attempt=operation["attempt"])
            script.end, script.reason, script.failing_task = "succeeded", None, None
        return 202, None, None

    def datastores(self, *_: Any) -> Result:
        return 200, {"datastores": [DATASTORE]}, None

    def datastore(self, _: Any, __: Any, name: str) -> Result:
        if name != "mysql":
            raise Answer(404, f"There is no datastore {name}.")
        return 200, {"datastore": DATASTORE}, None

    def versions(self, *_: Any) -> Result:
        return 200, {"versions": [VERSION]}, None

    def version(self, *_: Any) -> Result:
        return 200, {"version": VERSION}, None

    def flavors(self, *_: Any) -> Result:
        return 200, {"flavors": FLAVORS}, None

    def flavor(self, *_: Any) -> Result:
        return 200, {"flavor": FLAVORS[1]}, None

    def checkup(self, *_: Any) -> Result:
        return 200, {"checkup": self.coffer.checkup}, None

    def inventory(self, *_: Any) -> Result:
        return 200, self.coffer.inventory, None


ID = r"([0-9a-f-]{36})"
ROUTES: list[tuple[str, str, Callable[..., Result]]] = [
    ("GET", "/instances", Handler.list_instances),
    ("POST", "/instances", Handler.create),
    ("GET", f"/instances/{ID}", Handler.one_instance),
    ("DELETE", f"/instances/{ID}", Handler.delete),
    ("POST", f"/instances/{ID}/action", Handler.act),
    ("GET", f"/instances/{ID}/backups", Handler.backups),
    ("GET", f"/instances/{ID}/connection", Handler.connection),
    ("GET", f"/instances/{ID}/users", Handler.users),
    *((verb, f"/instances/{ID}/users.*", Handler.change) for verb in ("POST", "PUT", "DELETE")),
    ("POST", f"/instances/{ID}/configuration/diff", Handler.diff),
    ("GET", "/operations", Handler.list_operations),
    ("GET", f"/operations/{ID}", Handler.one_operation),
    ("GET", f"/operations/{ID}/events", Handler.events),
    ("POST", f"/operations/{ID}/action", Handler.act_on_operation),
    ("GET", "/checkup", Handler.checkup),
    ("GET", "/datastores", Handler.datastores),
    ("GET", "/datastores/([^/]+)", Handler.datastore),
    ("GET", "/datastores/[^/]+/versions", Handler.versions),
    ("GET", "/datastores/[^/]+/versions/[^/]+", Handler.version),
    ("GET", "/flavors", Handler.flavors),
    ("GET", "/flavors/small", Handler.flavor),
    ("GET", "/inventory", Handler.inventory),
]


class Server:
    """Serves a `Coffer` on a loopback port that stays the same over restarts."""

    def __init__(self) -> None:
        self.coffer = Coffer()
        self._port = 0
        self.start()

    @property
    def url(self) -> str:
        """The project's base URL."""
        return f"http://127.0.0.1:{self._port}/v1.0/{PROJECT}"

    def start(self) -> None:
        """Serve, on the port of last time."""
        self._http = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._http.daemon_threads = True
        self._http.coffer = self.coffer  # type: ignore[attr-defined]
        self._connections: list[socket.socket] = []
        self._http.connections = self._connections  # type: ignore[attr-defined]
        self._port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Serve no more, also not on kept-alive connections."""
        self._http.shutdown()
        self._http.server_close()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
