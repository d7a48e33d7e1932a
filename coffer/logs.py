"""Logs of guests: switched by settings of the engine, read in pieces that are kept encrypted."""

from dataclasses import dataclass
from typing import Any

from coffer.callers import Caller
from coffer.catalogue import Catalogue, Engine, Log
from coffer.database import transaction
from coffer.dispatch import Dispatcher
from coffer.errors import BadRequest, Unprocessable
from coffer.log_ends import LIMIT, forget_logs
from coffer.models import GuestLog, Instance, LogPiece, Operation
from coffer.operations import ACTIVE_STATES
from coffer.secrets import Vault
from coffer.status import require_running, require_there


@dataclass(frozen=True)
class LogState:
    """A log of an instance, and what is kept of it."""

    log: Log
    enabled: bool
    start: int
    """Offset of the first byte that is kept."""
    end: int
    """Offset after the last one."""


@dataclass(frozen=True)
class Lines:
    """Whole lines of a log, from one offset to another."""

    start: int
    end: int
    text: str


class Logs:
    """Requests about logs of instances."""

    def __init__(self, catalogue: Catalogue, vault: Vault, dispatcher: Dispatcher) -> None:
        self._catalogue = catalogue
        self._vault = vault
        self._dispatcher = dispatcher

    def all(self, instance: Instance) -> list[LogState]:
        """The logs of the instance's engine, in its own order."""
        owner: Any = GuestLog.instance
        rows = {row.name: row for row in GuestLog.select().where(owner == instance)}
        return [
            self._state(instance, log, rows.get(log.name)) for log in self._engine(instance).logs
        ]

    def one(self, instance: Instance, name: str) -> LogState:
        """A log.

        Raises:
            NotFound: the engine has none of that name.
        """
        log = self._engine(instance).log(name)
        return next(state for state in self.all(instance) if state.log == log)

    def switch(
        self, instance: Instance, name: str, enabled: bool, caller: Caller
    ) -> Operation | None:
        """Switch a log on or off; None if it is so already.

        Raises:
            NotFound, BadRequest: there is no such log, or no switch.
            Unprocessable: the instance's configuration group decides, or the engine does not run.
        """
        log = self._engine(instance).log(name)
        if not log.has_switch:
            raise BadRequest(f"name: log '{name}' is always on")
        _require_free(instance, log)
        with transaction():
            fresh = Instance.get_by_id(instance.id)
            require_running(fresh)
            chosen = _chosen(fresh)
            if chosen.get(name, log.enabled) == enabled:
                return None
            changes = {"logs": {**chosen, name: enabled}}
            operation = caller.begin("log_switch", fresh, changes)
        self._dispatcher.send(operation)
        return operation

    def read(self, instance: Instance, name: str, caller: Caller) -> Operation:
        """Read what the guest has written since the last time, and keep it.

        Works while the engine is down: that is when its log is wanted.
        """
        log = self._engine(instance).log(name)
        with transaction():
            fresh = Instance.get_by_id(instance.id)
            require_there(fresh)
            owner: Any = GuestLog.instance
            row = GuestLog.get_or_none(owner == instance, GuestLog.name == name)
            wanted = {
                "name": name,
                "path": log.path,
                "match": log.match,
                "file": row.file if row else 0,
                "position": row.position if row else 0,
                "limit": LIMIT,
            }
            operation = caller.begin("log_read", fresh, parameters={"coffer_log": wanted})
        self._dispatcher.send(operation)
        return operation

    def discard(self, instance: Instance, name: str) -> None:
        """Drop what is kept of a log; in the guest it stays."""
        forget_logs(instance, self._engine(instance).log(name).name)

    def pieces(self, instance: Instance, name: str) -> list[LogPiece]:
        """What is kept of a log, the oldest first."""
        owner: Any = GuestLog.instance
        wanted = (owner == instance) & (GuestLog.name == self._engine(instance).log(name).name)
        found = LogPiece.select(LogPiece).join(GuestLog).where(wanted)
        return list(found.order_by(LogPiece.start))

    def text(self, piece: LogPiece) -> str:
        """The lines in a piece."""
        return str(self._vault.unseal(piece.content))

    def lines(self, instance: Instance, name: str, offset: int | None, most: int) -> Lines:
        """Kept lines after an offset, or the last ones; `most` is in bytes."""
        state = self.one(instance, name)
        first = max(state.start, state.end - most) if offset is None else max(offset, state.start)
        text, at = b"", min(first, state.end)
        owner: Any = GuestLog.instance
        pieces = (
            LogPiece.select(LogPiece)
            .join(GuestLog)
            .where(owner == instance, GuestLog.name == name, LogPiece.end > at)
            .order_by(LogPiece.start)
        )
        for piece in pieces.iterator():
            raw = self._vault.unseal(piece.content).encode()
            text += raw[max(at - piece.start, 0) :] if not text else raw
            if len(text) >= most:
                break
        start = at
        if offset is None and first > state.start:
            cut = text.find(b"\n") + 1
            text, start = text[cut:], at + cut
        kept = text if len(text) <= most else text[: text.rfind(b"\n", 0, most) + 1] or text[:most]
        return Lines(start, start + len(kept), kept.decode(errors="replace"))

    def _engine(self, instance: Instance) -> Engine:
        return self._catalogue.engine(instance.version.manager)

    def _state(self, instance: Instance, log: Log, row: GuestLog | None) -> LogState:
        group: dict[str, Any] = instance.configuration.values if instance.configuration else {}
        enabled = (instance.logs or {}).get(log.name, log.enabled)
        for wanted, settings in ((True, log.enable), (False, log.disable)):
            if settings and all(group.get(key) == value for key, value in settings.items()):
                enabled = wanted
        return LogState(log, enabled, row.start if row else 0, row.end if row else 0)


def _require_free(instance: Instance, log: Log) -> None:
    """Leave to the configuration group what that decides."""
    group = instance.configuration
    fixed = sorted({*log.enable, *log.disable} & set(group.values)) if group else []
    if group and fixed:
        raise Unprocessable(
            f"configuration group '{group.name}' sets {', '.join(fixed)}: change it there"
        )


def _chosen(instance: Instance) -> dict[str, bool]:
    """What is switched once everything that was asked for is done."""
    last = (
        Operation.select()
        .where(
            Operation.instance == instance,
            Operation.kind == "log_switch",
            Operation.state.in_(ACTIVE_STATES),
        )
        .order_by(Operation.created.desc())
        .first()
    )
    chosen: dict[str, bool] = last.changes["logs"] if last else instance.logs or {}
    return chosen
