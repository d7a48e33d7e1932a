"""Counts in two collections at once, from 1 on; tells on its output when each was written."""

import sys
import time
from itertools import count
from uuid import uuid4

sys.path.insert(0, "/usr/local/lib/coffer/mongodb")
import bson
from coffer_mongodb import Connection

server = Connection(27017, "root")


def rows(name):
    pipeline = [{"$sort": {"place": 1}}, {"$group": {"_id": None, "n": {"$push": "$n"}}}]
    body = {"aggregate": name, "pipeline": pipeline, "cursor": {}}
    found = server.command("counted", body)["cursor"]["firstBatch"]
    return found[0]["n"] if found else []


if sys.argv[1:] == ["look"]:
    print(*rows("a"))
    print(*rows("b"))
    body = {"listIndexes": "a"}
    indexes = server.command("counted", body)["cursor"]["firstBatch"]
    print(sum(index["name"] == "later" for index in indexes))
    sys.exit()
for name in ("a", "b"):
    server.command("counted", {"insert": name, "documents": [{"place": 0, "n": 0}]})
    server.command("counted", {"delete": name, "deletes": [{"q": {}, "limit": 0}]})
print("ready", flush=True)
sys.stdin.readline()
index = {"key": {"n": 1}, "name": "later"}
server.command("counted", {"createIndexes": "a", "indexes": [index]})
session = {"id": bson.Binary.from_uuid(uuid4())}
numbers = count(1)
for n in numbers:
    began = time.time()
    common = {"lsid": session, "txnNumber": bson.Int64(n), "autocommit": False}
    for name in ("a", "b"):
        first = {"startTransaction": True} if name == "a" else {}
        documents = [{"place": n, "n": n}]
        server.command("counted", {"insert": name, "documents": documents, **common, **first})
    server.command("admin", {"commitTransaction": 1, **common, "writeConcern": {"w": "majority"}})
    print(n, began, time.time(), flush=True)
    time.sleep(0.02)
