"""Plays parts of an oplog into a server: `replay.py SOCKET TO POSITION`, archives on the input.

POSITION is `SECOND,NUMBER` of the last entry that the data already hold. What an entry means is
told in MongoDB's sources (repl/oplog_entry.idl); mongorestore does the same.
"""

from __future__ import annotations

import sys
import tarfile
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO
from urllib.parse import quote

import bson
import pymongo
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from bson.timestamp import Timestamp

Entry = Any
KEPT = ("op", "ns", "ui", "o", "o2", "b", "v")
"""What an entry does; the rest is about sessions and servers that are no more."""
PLAIN = ("i", "u", "d")
BATCH_ENTRIES, BATCH_BYTES = 500, 4 << 20
SHALLOW: CodecOptions[Any] = CodecOptions(document_class=RawBSONDocument)
UNFINISHED = ("startIndexBuild", "abortIndexBuild")
"""Commands that a later one completes, or nobody misses."""


class Player:
    """Gathers what is alike and applies it."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._batch: list[Entry] = []
        self._size = 0
        self._partial: dict[tuple[bytes, int], list[Entry]] = {}
        self.number = 0

    def take(self, entry: Entry) -> None:
        """One entry of the log, or a part of a transaction."""
        if entry["ns"].startswith("config."):  # sessions
            return
        self.number += 1
        if entry["op"] in PLAIN:
            self._gather(entry)
        elif entry["op"] == "c":
            self._command(entry)

    def _gather(self, entry: Entry) -> None:
        self._batch.append({key: entry[key] for key in KEPT if key in entry})
        self._size += len(entry.raw)
        if len(self._batch) >= BATCH_ENTRIES or self._size > BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Apply what was gathered."""
        if self._batch:
            self._apply(self._batch)
        self._batch, self._size = [], 0

    def _apply(self, entries: list[Entry]) -> None:
        self._server.admin.command({"applyOps": entries, "alwaysUpsert": False})

    def _command(self, entry: Entry) -> None:
        body = entry["o"]
        name = next(iter(body))
        if name == "applyOps":
            self._transaction(entry)
            return
        self.flush()
        database = entry["ns"].partition(".")[0]
        if name in UNFINISHED:
            return
        if name == "commitIndexBuild":
            self._indexes(database, body[name], body["indexes"])
        elif name == "createIndexes":
            fields = bson.decode(body.raw)
            self._indexes(database, fields.pop(name), [fields])
        else:
            self._apply([{key: entry[key] for key in KEPT if key in entry}])

    def _indexes(self, database: str, collection: str, indexes: Iterable[Any]) -> None:
        wanted = [_without_version(index) for index in indexes]
        self._server[database].command({"createIndexes": collection, "indexes": wanted})

    def _transaction(self, entry: Entry) -> None:
        """All of a transaction at once, or nothing where its last part is missing."""
        body = entry["o"]
        key = (entry["lsid"].raw, entry["txnNumber"]) if "lsid" in entry else (b"", 0)
        entries = self._partial.pop(key, []) + list(body["applyOps"])
        if body.get("partialTxn"):
            self._partial[key] = entries
            return
        for each in entries:
            if each["op"] == "c":
                self._command(each)
            else:
                self._gather(each)


def _without_version(index: Any) -> dict[str, Any]:
    plain = bson.decode(index.raw) if isinstance(index, RawBSONDocument) else dict(index)
    plain.pop("ns", None)
    return plain


def documents(stream: BinaryIO) -> Iterator[Entry]:
    """Each document of a file."""
    while head := stream.read(4):
        length = int.from_bytes(head, "little")
        yield RawBSONDocument(head + stream.read(length - 4), SHALLOW)


def entries(archive: tarfile.TarFile) -> Iterator[Entry]:
    """All entries of the archives, in order."""
    for member in archive:
        stream = archive.extractfile(member)
        if stream is not None:
            yield from documents(stream)  # type: ignore[arg-type]


def main() -> None:
    """Say how many were played."""
    socket, to, position = sys.argv[1:]
    client: Any = pymongo.MongoClient(f"mongodb://{quote(socket, safe='')}", directConnection=True)
    player = Player(client)
    after = Timestamp(*(int(part) for part in position.split(",")))
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|", ignore_zeros=True) as archive:
        for entry in entries(archive):
            if entry["ts"] <= after:
                continue
            if to and entry["ts"].time >= float(to):
                break
            player.take(entry)
        player.flush()
    while sys.stdin.buffer.read(1 << 20):  # who sends must not fail
        pass
    client.admin.command("fsync")
    print(f"{player.number} entries were played")


main()
