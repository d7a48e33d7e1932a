"""`dbctl flavor …`: which sizes there are."""

from __future__ import annotations

from typing import Any

from dbctl.arguments import Subparsers, add_noun, add_verb
from dbctl.context import Context
from dbctl.output import Columns

Row = dict[str, Any]


def add(nouns: Subparsers) -> None:
    """The verbs."""
    verbs = add_noun(nouns, "flavor", "Flavors: processors and memory of an instance.")
    add_verb(verbs, "list", list_, "List the flavors.")
    one = add_verb(verbs, "show", show, "Show one flavor.")
    one.add_argument("flavor", metavar="FLAVOR", help="id or name")


COLUMNS: Columns = (
    ("ID", lambda row: row["str_id"]),
    ("NAME", lambda row: row["name"]),
    ("VCPUS", lambda row: row["vcpus"]),
    ("MEMORY", lambda row: f"{row['ram']} MB"),
    ("DISK", lambda row: f"{row['disk']} GB"),
)


def list_(context: Context) -> None:
    """All flavors, small ones first."""
    rows = context.api.get("/flavors")["flavors"]
    context.table("flavors", sorted(rows, key=lambda row: (row["ram"], row["vcpus"])), COLUMNS)


def show(context: Context) -> None:
    """One flavor."""
    from dbctl.client import segment

    row = context.api.get(f"/flavors/{segment(context.args.flavor)}")["flavor"]
    context.card({"flavor": row}, [(title.lower(), cell(row)) for title, cell in COLUMNS])
