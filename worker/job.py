"""The one job: an operation's id comes in, its playbook runs, its end is written."""

import logging
import os
import socket
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from coffer.clock import utcnow
from coffer.database import database
from coffer.errors import LeaseLost, PlaybookDied
from coffer.lifecycle import end, lease, start_undo
from coffer.log_ends import sealed_piece
from coffer.models import Instance, Operation
from coffer.operations import KINDS, State, secret_of
from coffer.secrets import hash_token, new_token
from worker.context import Context, context
from worker.events import Recorder, note, texts
from worker.hosts import inputs_of
from worker.leftovers import end_leftovers
from worker.playbook import Player, Result, play
from worker.rundir import run_directory, write_inputs
from worker.sweeper import release
from worker.watch import Watch

log = logging.getLogger(__name__)


def run(operation_id: str) -> None:
    """Take the operation if it is free, and see it through."""
    collaborators = context()
    with database.connection_context():
        work_on(operation_id, collaborators)


def work_on(operation_id: str, collaborators: Context, player: Player = play) -> None:
    """The same; `player` runs the playbooks."""
    operation = lease(operation_id, _owner())
    if operation is None:
        return
    try:
        Execution(collaborators, operation, player).go()
    except LeaseLost:
        log.warning("operation %s: the lease was lost, stopping", operation_id)
    except PlaybookDied:
        release(operation, utcnow(), collaborators)
    finally:
        end_leftovers(operation_id)


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


class Execution:
    """One attempt at an operation, under its lease."""

    def __init__(self, collaborators: Context, operation: Operation, player: Player) -> None:
        self._context = collaborators
        self._player = player
        self._operation = operation
        self._kind = KINDS[operation.kind]

    def go(self) -> None:
        """Do, or undo what an earlier attempt could not do.

        Raises:
            LeaseLost: someone else goes on with it.
            PlaybookDied: nobody does; the operation needs another attempt.
        """
        killed = end_leftovers(self._operation.id) if self._operation.attempt > 1 else 0
        if killed:
            note(self._operation, "ok", f"ended {killed} processes of an earlier attempt")
        if self._operation.phase == "undo":
            self._undo()
        else:
            self._do()

    def _do(self) -> None:
        operation = self._operation
        with Watch(operation, operation.deadline) as watch:
            result = self._play(self._kind.playbook, operation.changes, watch)
        if result.succeeded:
            facts = sealed_piece(self._context.vault, result.facts)
            self._end(State.SUCCEEDED, facts=facts)
            return
        state, reason = _why(watch, result)
        if self._kind.undo is None:
            self._end(state, reason=reason, failing_task=result.failing_task, facts=result.facts)
            return
        self._operation = start_undo(operation, state, reason, result.failing_task)
        end_leftovers(operation.id)
        self._undo()

    def _undo(self) -> None:
        operation, undo = self._operation, str(self._kind.undo)
        note(operation, "started", f"undoing: {undo}")
        with Watch(operation, self._undo_deadline(), abortable=False) as watch:
            result = self._play(undo, {}, watch, is_undo=True)
        reason = operation.reason
        if not result.succeeded:
            reason = f"{reason}; and the undo failed at '{result.failing_task}': {result.reason}"
        self._end(
            State(operation.outcome or State.FAILED),
            reason=reason,
            failing_task=operation.failing_task,
            facts=result.facts,
        )

    def _undo_deadline(self) -> datetime:
        return utcnow() + timedelta(seconds=self._kind.deadline)

    def _play(
        self, playbook: str, changes: dict[str, Any], watch: Watch, is_undo: bool = False
    ) -> Result:
        instance = Instance.get_by_id(self._operation.instance_id)
        secrets = self._undo_secrets(instance) if is_undo else self._secrets(instance)
        recorder = Recorder(self._operation, texts(secrets))
        root = Path(self._context.settings.run_directory)
        with run_directory(root, self._operation.id) as directory:
            inputs = inputs_of(self._context.inventory, self._operation, changes, is_undo)
            for variables in inputs.hosts.values():
                variables.update(self._storage())
            write_inputs(directory, inputs, secrets)
            result = self._player(playbook, directory, recorder, watch)
        if watch.lost:
            raise LeaseLost(self._operation.id)
        if result.died:
            raise PlaybookDied(self._operation.id)
        return result

    def _storage(self) -> dict[str, str]:
        """Where the repository lies that the operation is about; it may be another's."""
        if not self._kind.repository:
            return {}
        repository = self._operation.parameters["coffer_repository"]
        return {"coffer_backup_storage": self._context.repositories.storage(repository)}

    def _secrets(self, instance: Instance) -> dict[str, Any]:
        stored = self._context.vault.all(instance)
        found = self._named(stored)
        found |= stored.get(secret_of(self._operation.id), {})
        if self._kind.repository:
            repository = self._operation.parameters["coffer_repository"]
            found |= self._context.repositories.variables(repository)
        if self._kind.issues_token or self._kind.renews_token:
            token = new_token()
            column = "guest_token_hash" if self._kind.issues_token else "next_token_hash"
            Instance.update({column: hash_token(token)}).where(Instance.id == instance.id).execute()
            found["coffer_guest_token"] = token
        return found

    def _undo_secrets(self, instance: Instance) -> dict[str, Any]:
        return {} if self._kind.makes else self._named(self._context.vault.all(instance))

    def _named(self, stored: dict[str, Any]) -> dict[str, Any]:
        return {f"coffer_{n}": stored[n] for n in self._kind.secrets if n in stored}

    def _end(self, state: State, **details: Any) -> None:
        freed = end(self._operation, state, **details)
        for waiting in freed:
            self._context.dispatcher.send(waiting)
        self._context.patch_rounds.after(self._operation)
        if state == State.SUCCEEDED and self._kind.end_state == "DELETED":
            self._context.reports.forget(str(self._operation.instance_id))


def _why(watch: Watch, result: Result) -> tuple[State, str]:
    if watch.stop == State.ABORTED:
        return State.ABORTED, "aborted by the user"
    if watch.stop == State.EXPIRED:
        return State.EXPIRED, "the deadline passed"
    return State.FAILED, result.reason or "failed"
