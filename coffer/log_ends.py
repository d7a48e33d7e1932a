"""What was read of a guest's log: packed in the guest, encrypted, kept for a while."""

import base64
import zlib
from datetime import datetime, timedelta
from typing import Any

from coffer.models import Event, GuestLog, Instance, LogPiece, Operation
from coffer.operations import State
from coffer.secrets import Vault

READS = "log_read"
FACT = "log"
"""The fact that a reading leaves: `file`, `position`, `size`, `limit`, `content`."""
LIMIT = 512 * 1024
"""Bytes that are read at once; what was written before them is left out."""
KEPT = 4 * 1024 * 1024
"""Bytes that are kept of each log of an instance."""
FORGOTTEN = timedelta(minutes=5)
"""Age at which a reading's operation goes when there is a newer one; somebody may wait for it."""
_GZIP = 16 + zlib.MAX_WBITS


def sealed_piece(vault: Vault, facts: dict[str, Any]) -> dict[str, Any]:
    """Facts of an operation with what was read of a log encrypted; others as they are."""
    read = facts.get(FACT)
    if not isinstance(read, dict) or "content" not in read:
        return facts
    file, position, size, raw = _unpacked(read)
    lines, rest = whole_lines(raw, cut=len(raw) >= LIMIT)
    text = lines.decode(errors="replace")
    piece = {
        "file": file,
        "position": max(position - rest, 0),
        "size": size,
        "bytes": len(text.encode()),
        "lines": text.count("\n"),
        "content": vault.seal(text),
    }
    return {**facts, FACT: piece}


def _unpacked(read: dict[str, Any]) -> tuple[int, int, int, bytes]:
    """Number of the file, position, size, lines; nothing of a guest that speaks nonsense."""
    try:
        numbers = [min(max(int(read[key]), 0), 2**62) for key in ("file", "position", "size")]
        packed = zlib.decompressobj(_GZIP)
        raw = packed.decompress(base64.b64decode(read["content"] or b""), LIMIT)
    except (ValueError, KeyError, zlib.error):
        return 0, 0, 0, b""
    file, position, size = numbers
    return file, position, size, raw


def whole_lines(raw: bytes, *, cut: bool) -> tuple[bytes, int]:
    """Without the first line if it was cut off, and without a last one that is not whole yet.

    The number is how many bytes at the end were left for the next time.
    """
    if cut:
        raw = raw[raw.find(b"\n") + 1 :]
    end = raw.rfind(b"\n") + 1
    return (raw, 0) if end == 0 else (raw[:end], len(raw) - end)


def settle_log(operation: Operation, now: datetime) -> None:
    """Keep what an ended operation read of a log; runs inside the caller's transaction.

    The operation itself keeps none of it, and those that read before it go: they are many.
    """
    if operation.kind != READS or operation.state != State.SUCCEEDED:
        return
    read = operation.result[FACT]
    log, _ = GuestLog.get_or_create(  # type: ignore[no-untyped-call]
        instance=operation.instance_id, name=operation.parameters["coffer_log"]["name"]
    )
    log.file, log.position, log.size = read["file"], read["position"], read["size"]
    log.updated = now
    if read["bytes"]:
        end = log.end + read["bytes"]
        LogPiece.create(
            log=log, start=log.end, end=end, lines=read["lines"], content=read["content"], at=now
        )
        log.end = end
        _let_go(log)
    log.save()
    operation.result = {FACT: {"name": log.name, "start": log.start, "end": log.end}}
    operation.save()
    _forget_earlier(operation, now - FORGOTTEN)


def _let_go(log: GuestLog) -> None:
    """Drop the oldest pieces beyond what is kept."""
    LogPiece.delete().where(LogPiece.log == log, LogPiece.end <= log.end - KEPT).execute()
    first = LogPiece.select().where(LogPiece.log == log).order_by(LogPiece.start).get()
    log.start = first.start


def _forget_earlier(operation: Operation, before: datetime) -> None:
    earlier = Operation.select(Operation.id).where(
        Operation.instance == operation.instance_id,
        Operation.kind == READS,
        Operation.state == State.SUCCEEDED,
        Operation.ended < before,
    )
    ids = [row.id for row in earlier]
    Event.delete().where(Event.operation.in_(ids)).execute()
    Operation.delete().where(Operation.id.in_(ids)).execute()


def forget_logs(instance: Instance, name: str | None = None) -> None:
    """Drop what is kept of one log of an instance, or of all."""
    owner: Any = GuestLog.instance
    logs = GuestLog.select().where(owner == instance)
    for log in logs if name is None else logs.where(GuestLog.name == name):
        LogPiece.delete().where(LogPiece.log == log).execute()
        if name is None:
            log.delete_instance()
        else:  # what was read is not read again
            GuestLog.update(start=log.end).where(GuestLog.id == log.id).execute()
