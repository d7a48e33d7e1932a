"""From what a person types (a name, an id, the first characters of an id) to one thing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from dbctl.client import Api, Document, segment
from dbctl.errors import Ambiguous, NotFound
from dbctl.output import one_line

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Shorter ones fit by accident, and `delete` takes prefixes too.
PREFIX = re.compile(r"[0-9a-f][0-9a-f-]{3,35}", re.IGNORECASE)


def instance(api: Api, wanted: str) -> Document:
    """The instance of that id, that name or that prefix of an id (4 characters or more)."""
    if UUID.fullmatch(wanted):
        found: Document = api.get(f"/instances/{segment(wanted.lower())}")["instance"]
        return found
    rows = api.pages("/instances", "instances")
    named = [row for row in rows if row["name"] == wanted]
    return only("instance", wanted, named or prefixed(rows, wanted), describe_instance)


def operation(api: Api, wanted: str) -> Document:
    """The operation of that id or prefix, or the newest one of the instance of that name."""
    if UUID.fullmatch(wanted):
        found: Document = api.get(f"/operations/{segment(wanted.lower())}")["operation"]
        return found
    rows = api.pages("/operations", "operations")
    matches = prefixed(rows, wanted)
    if not matches:
        matches = newest_of_each(row for row in rows if row.get("instance_name") == wanted)
        if len(matches) > 1:
            matches = of_the_living(api, matches)
    return only("operation", wanted, matches, describe_operation)


def configuration(api: Api, wanted: str) -> Document:
    """The configuration group of that id, that name or that prefix of an id."""
    rows = api.pages("/configurations", "configurations")
    named = [row for row in rows if wanted in (row["name"], row["id"])]
    return only("configuration", wanted, named or prefixed(rows, wanted), describe_group)


def backup(api: Api, wanted: str) -> Document:
    """The backup of that id, that name or that prefix of an id."""
    rows = api.pages("/backups", "backups")
    named = [row for row in rows if wanted in (row["name"], row["id"])]
    return only("backup", wanted, named or prefixed(rows, wanted), describe_backup)


def patch(api: Api, wanted: str | None) -> Document:
    """The patch run of that id or prefix; None is the newest one."""
    if wanted is None or not UUID.fullmatch(wanted):
        rows = api.get("/patches")["patches"]
        rows = rows[:1] if wanted is None else prefixed(rows, wanted)
        wanted = wanted or "the newest one"
        wanted = only("patch", wanted, rows, lambda row: f"{row['id']}  {row['state']}")["id"]
    found: Document = api.get(f"/patches/{segment(wanted.lower())}")["patch"]
    return found


def of_the_living(api: Api, rows: list[Document]) -> list[Document]:
    """Operations of instances that are there; if none is, the newest one."""
    living = {row["id"] for row in api.pages("/instances", "instances")}
    kept = [row for row in rows if row["instance_id"] in living]
    return kept or [max(rows, key=lambda row: str(row["created"]))]


def newest_of_each(rows: Iterable[Document]) -> list[Document]:
    """The newest operation of each instance: instances may share a name."""
    newest: dict[str, Document] = {}
    for row in rows:
        other = newest.get(row["instance_id"])
        if other is None or row["created"] > other["created"]:
            newest[row["instance_id"]] = row
    return list(newest.values())


def prefixed(rows: list[Document], wanted: str) -> list[Document]:
    """The rows whose id starts like that."""
    if not PREFIX.fullmatch(wanted):
        return []
    return [row for row in rows if row["id"].startswith(wanted.lower())]


def only(
    what: str, wanted: str, rows: list[Document], describe: Callable[[Document], str]
) -> Document:
    """The one row; NotFound for none, Ambiguous with the candidates for several."""
    # A row can be on two pages when others were added between them.
    rows = list({row["id"]: row for row in rows}.values())
    if not rows:
        raise NotFound(f"no {what} is called {wanted!r}", f"See: dbctl {what} list")
    if len(rows) > 1:
        listed = [f"  {describe(row)}" for row in rows[:20]]
        raise Ambiguous(f"{wanted!r} fits {len(rows)} {what}s; say which by its id:", *listed)
    return rows[0]


def describe_instance(row: Document) -> str:
    """A line that tells one instance from another."""
    return f"{row['id']}  {one_line(row['name'])}  {row['status']}"


def describe_group(row: Document) -> str:
    """A line that tells one configuration group from another."""
    return f"{row['id']}  {one_line(row['name'])}"


def describe_backup(row: Document) -> str:
    """A line that tells one backup from another."""
    return f"{row['id']}  {one_line(row['name'])}  {row['status']}  {row['created']}"


def describe_operation(row: Document) -> str:
    """A line that tells one operation from another."""
    name = one_line(row.get("instance_name"))
    return f"{row['id']}  {row['kind']}  {name}  {row['state']}"
