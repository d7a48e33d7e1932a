"""From Ansible's events to an operation's: what ran, where, how long, and why it failed."""

from collections.abc import Iterable
from typing import Any

from coffer.models import Event, Operation

_STATES = {
    "runner_on_start": "started",
    "runner_on_ok": "ok",
    "runner_on_failed": "failed",
    "runner_on_skipped": "skipped",
    "runner_on_unreachable": "unreachable",
}
_PLUMBING = (
    "assert",
    "debug",
    "import_role",
    "import_tasks",
    "include_role",
    "include_tasks",
    "include_vars",
    "meta",
    "set_fact",
    "set_stats",
    "validate_argument_spec",
)
"""Steps that change nothing outside Ansible; worth a record only when they fail."""
_FAILURES = ("failed", "unreachable")
_SHORTEST_SECRET = 6
"""Characters; shorter texts are no secrets of ours and would blank out half a sentence."""
_LONGEST_MESSAGE = 4000


class Recorder:
    """Writes events of one attempt; remembers the facts and the failure."""

    def __init__(self, operation: Operation, secrets: Iterable[str]) -> None:
        self._operation = operation
        self._secrets = sorted({s for s in secrets if len(s) >= _SHORTEST_SECRET}, key=len)[::-1]
        self.facts: dict[str, Any] = {}
        self.failing_task: str | None = None
        self.reason: str | None = None

    def handle(self, event: dict[str, Any]) -> bool:
        """Take one event of ansible-runner; False: runner need not keep it on disk."""
        data = event.get("event_data") or {}
        if event["event"] == "playbook_on_stats":
            self.facts = (data.get("artifact_data") or {}).get("coffer_facts") or {}
        state = _STATES.get(event["event"])
        if state and not (_is_plumbing(data) and state not in _FAILURES):
            self._record(state, data)
        return False

    def _record(self, state: str, data: dict[str, Any]) -> None:
        result = data.get("res") or {}
        failed = state in _FAILURES
        message = self.redact(_message(result)) if failed else None
        if failed and not data.get("ignore_errors"):
            self.failing_task, self.reason = data.get("task"), message
        if state == "ok" and result.get("changed"):
            state = "changed"
        Event.create(
            operation=self._operation,
            attempt=self._operation.attempt,
            play=data.get("play") or "",
            task=data.get("task") or "",
            role=data.get("role"),
            host=data.get("host"),
            state=state,
            seconds=data.get("duration"),
            message=message,
        )

    def redact(self, text: str) -> str:
        """The text without secrets, shortened to what a record holds."""
        for secret in self._secrets:
            text = text.replace(secret, "********")
        return text[:_LONGEST_MESSAGE]


def note(operation: Operation, state: str, message: str) -> None:
    """Record something that Coffer itself did about the operation."""
    Event.create(operation=operation, attempt=operation.attempt, state=state, message=message)


def texts(value: Any) -> Iterable[str]:
    """Every text in a nested value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts(item)


def _is_plumbing(data: dict[str, Any]) -> bool:
    return str(data.get("task_action", "")).rsplit(".", 1)[-1] in _PLUMBING


def _message(result: dict[str, Any]) -> str:
    """The module's own words; of a loop, those of the first item that failed."""
    if result.get("censored"):
        return "the module failed; its words are hidden because they may hold a secret"
    for item in result.get("results") or ():
        if isinstance(item, dict) and item.get("failed"):
            return _message(item)
    parts = (result.get("msg"), result.get("stderr") or result.get("module_stderr"))
    return "\n".join(str(part).strip() for part in parts if part) or "failed without a message"
