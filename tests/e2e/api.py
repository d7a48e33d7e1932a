"""The REST API as a program sees it: status and document, nothing raised."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

ENDED = ("succeeded", "failed", "aborted", "expired")


@dataclass(frozen=True)
class Answer:
    """Of one request; `document` is None without a JSON body."""

    status: int
    headers: dict[str, str]
    document: Any

    @property
    def operation(self) -> str:
        """The operation that the request started."""
        return self.headers["coffer-operation-id"]


@dataclass(frozen=True)
class Api:
    """One project's endpoint."""

    url: str
    token: str

    def send(self, method: str, path: str, body: Any = None) -> Answer:
        """One request; every HTTP status is an answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-Auth-Token": self.token, "Content-Type": "application/json"}
        request = urllib.request.Request(  # noqa: S310
            self.url + path, data, headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
                return _answer(reply)
        except urllib.error.HTTPError as error:
            return _answer(error)

    def get(self, path: str) -> Any:
        """The document of a GET that must succeed."""
        answer = self.send("GET", path)
        assert answer.status == 200, (path, answer)
        return answer.document

    def instance(self, instance_id: str) -> Any:
        """An instance as GET shows it."""
        return self.get(f"/instances/{instance_id}")["instance"]

    def operation(self, operation_id: str) -> Any:
        """An operation as GET shows it."""
        return self.get(f"/operations/{operation_id}")["operation"]

    def events(self, operation_id: str) -> list[Any]:
        """All events of an operation."""
        found: list[Any] = []
        while True:
            after = found[-1]["id"] if found else 0
            page = self.get(f"/operations/{operation_id}/events?after={after}")["events"]
            if not page:
                return found
            found += page

    def act(self, operation_id: str, action: str) -> Answer:
        """Retry or abort."""
        return self.send("POST", f"/operations/{operation_id}/action", {action: {}})


def _answer(reply: Any) -> Answer:
    text = reply.read()
    headers = {key.lower(): value for key, value in reply.headers.items()}
    is_json = "json" in headers.get("content-type", "")
    return Answer(reply.status, headers, json.loads(text) if text and is_json else None)
