"""Parts of the oplog, written as BSON, one entry after the other."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, "/usr/local/lib/coffer/mongodb")
from coffer_mongodb import HEADER, OP_MSG, Connection
from common import Gap, Logged, Trouble

Document = dict[str, Any]
TIMEOUT = 60.0
"""Seconds for one answer."""
SETTLING = 10.0
"""Seconds until an entry is visible that was acknowledged."""
UNSENT = {"op": {"$ne": "n"}, "ns": {"$ne": "coffer.heartbeat"}}
"""Entries that change nothing, and the agent's own."""


class Server(Connection):
    """A connection as root that hands documents over as they are, byte by byte."""

    def __init__(self, job: Document) -> None:
        super().__init__(job["port"], "root", timeout=TIMEOUT)
        from bson.codec_options import CodecOptions
        from bson.raw_bson import RawBSONDocument
        from bson.timestamp import Timestamp

        self._raw = CodecOptions(document_class=RawBSONDocument)
        self.timestamp = Timestamp

    def batch(self, body: Document) -> tuple[int, list[Any]]:
        """The cursor of local and the documents that a `find` or `getMore` answers."""
        document = self._bson.encode({**body, "$db": "local"})
        length = HEADER.size + len(document)
        self._socket.sendall(HEADER.pack(length, 1, 0, OP_MSG, 0, 0) + document)
        reply = self._bson.decode(self._receive()[HEADER.size :], codec_options=self._raw)
        if not reply.get("ok"):
            raise Trouble(f"MongoDB: {reply.get('errmsg')}")
        cursor = reply["cursor"]
        rows = cursor["firstBatch"] if "firstBatch" in cursor else cursor["nextBatch"]
        return int(cursor["id"]), list(rows)

    def entries(self, condition: Document) -> Iterator[Any]:
        """Entries of the oplog, in its order."""
        number, rows = self.batch({"find": "oplog.rs", "filter": condition})
        yield from rows
        while number:
            number, rows = self.batch(
                {"getMore": self._bson.int64.Int64(number), "collection": "oplog.rs"}
            )
            yield from rows

    def mark(self) -> Any:
        """Write an entry that changes nothing; its timestamp, once all before it are visible."""
        note = {"appendOplogNote": 1, "data": {"coffer": "slice"}}
        stamp = self.command("admin", note)["operationTime"]
        ends = time.monotonic() + SETTLING
        while not any(True for _ in self.entries({"ts": stamp})):
            if time.monotonic() > ends:
                raise Trouble("MongoDB: the oplog does not show what was written")
            time.sleep(0.05)
        return stamp

    def oldest(self) -> Any:
        """The timestamp of the oplog's first entry."""
        body = {"find": "oplog.rs", "sort": {"$natural": 1}, "limit": 1}
        return self.batch(body)[1][0]["ts"]


def begin(job: Document) -> tuple[list[int], float]:
    """The place that a chain begins at: all from the next second on comes after it."""
    stamp = Server(job).mark()
    return [stamp.time, stamp.inc], float(stamp.time + 1)


def collect(job: Document, place: list[int], spool: Path) -> Logged:
    """What came after `place`.

    Raises:
        Gap: the oplog has grown over it.
    """
    server = Server(job)
    last = server.timestamp(*place)
    until = server.mark()
    if server.oldest() > last:
        raise Gap("the oplog is shorter than what was to be sent")
    file = spool / f"{until.time:010d}-{until.inc:010d}.bson"
    new = file.with_suffix(".new")
    with new.open("wb") as stream:
        for entry in server.entries({"ts": {"$gt": last, "$lt": until}, **UNSENT}):
            stream.write(entry.raw)
        size = stream.tell()
    files = [new.rename(file)] if size else []
    return Logged(files, [until.time, until.inc], float(until.time))


def spare(_job: Document, _place: list[int]) -> None:
    """The oplog has its size; there is nothing to remove."""
