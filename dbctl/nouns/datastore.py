"""`dbctl datastore …`: which engines there are, in which versions."""

from __future__ import annotations

from typing import Any

from dbctl.arguments import Subparsers, add_noun, add_verb
from dbctl.context import Context
from dbctl.output import Columns

Row = dict[str, Any]


def add(nouns: Subparsers) -> None:
    """The verbs."""
    verbs = add_noun(nouns, "datastore", "Datastores: the engines on offer.")
    add_verb(verbs, "list", list_, "List the datastores.")
    one = add_verb(verbs, "show", show, "Show one datastore.")
    versions = add_noun(verbs, "version", "Versions of a datastore.")
    many = add_verb(versions, "list", list_versions, "List the versions of a datastore.")
    version = add_verb(versions, "show", show_version, "Show one version.")
    for parser in (one, many, version):
        parser.add_argument("datastore", metavar="DATASTORE", help="name or id")
    version.add_argument("version", metavar="VERSION", help="name or id")


def default_version(row: Row) -> str:
    """The name of the version that `create` takes by default."""
    default = row.get("default_version")
    return next((v["name"] for v in row["versions"] if v["id"] == default), "")


def version_names(row: Row) -> str:
    """The names of all its versions."""
    return ", ".join(version["name"] for version in row["versions"])


COLUMNS: Columns = (
    ("NAME", lambda row: row["name"]),
    ("DEFAULT", default_version),
    ("VERSIONS", version_names),
    ("ID", lambda row: row["id"]),
)
VERSIONS: Columns = (
    ("NAME", lambda row: row["name"]),
    ("EXACT", lambda row: row.get("version")),
    ("ID", lambda row: row["id"]),
)


def list_(context: Context) -> None:
    """All datastores."""
    context.table("datastores", context.api.get("/datastores")["datastores"], COLUMNS)


def path(name: str) -> str:
    """Where the API has that datastore."""
    from dbctl.client import segment

    return f"/datastores/{segment(name)}"


def show(context: Context) -> None:
    """One datastore."""
    row = context.api.get(path(context.args.datastore))["datastore"]
    pairs = [
        ("name", row["name"]),
        ("id", row["id"]),
        ("default", default_version(row)),
        ("versions", version_names(row)),
    ]
    context.card({"datastore": row}, pairs)


def list_versions(context: Context) -> None:
    """The versions of a datastore."""
    rows = context.api.get(f"{path(context.args.datastore)}/versions")["versions"]
    context.table("versions", rows, VERSIONS)


def show_version(context: Context) -> None:
    """One version."""
    from dbctl.client import segment

    where = f"{path(context.args.datastore)}/versions/{segment(context.args.version)}"
    row = context.api.get(where)["version"]
    pairs = [("name", row["name"]), ("exact", row.get("version")), ("id", row["id"])]
    context.card({"version": row}, pairs)
