"""`dbctl database …`: the databases of an instance."""

from __future__ import annotations

from typing import Any

from dbctl.arguments import Subparsers, add_noun, add_verb, add_yes
from dbctl.context import Context
from dbctl.nouns.instance import add_changing, add_target, find
from dbctl.output import Columns

Row = dict[str, Any]
COLUMNS: Columns = (("NAME", lambda row: row["name"]),)


def add(nouns: Subparsers) -> None:
    """The verbs."""
    verbs = add_noun(nouns, "database", "Databases of an instance.")
    add_target(add_verb(verbs, "list", list_, "List the databases, as the guest last reported."))
    create_parser = add_changing(verbs, "create", create, "Create databases.")
    create_parser.add_argument("databases", metavar="DATABASE", nargs="+")
    create_parser.add_argument("--character-set", metavar="C", help="such as utf8mb4")
    create_parser.add_argument("--collate", metavar="C", help="such as utf8mb4_0900_ai_ci")
    delete_parser = add_changing(verbs, "delete", delete, "Delete a database and all in it.")
    delete_parser.add_argument("database", metavar="DATABASE")
    add_yes(delete_parser)


def list_(context: Context) -> None:
    """All databases but the engine's own."""
    row = find(context, context.args.instance)
    rows = context.api.pages(f"/instances/{row['id']}/databases", "databases")
    context.observed("databases", rows, COLUMNS)


def create(context: Context) -> None:
    """Create one or more in one operation."""
    row = find(context, context.args.instance)
    given = {"character_set": context.args.character_set, "collate": context.args.collate}
    options = {key: value for key, value in given.items() if value}
    wanted = [{"name": name, **options} for name in context.args.databases]
    reply = context.api.post(f"/instances/{row['id']}/databases", {"databases": wanted})
    context.finish(reply.operation_id, f"created: {', '.join(context.args.databases)}")


def delete(context: Context) -> None:
    """Delete one, after asking."""
    from dbctl.client import segment

    row = find(context, context.args.instance)
    name = context.args.database
    context.confirm(f"Delete database {name} of {row['name']} and all its data?")
    reply = context.api.delete(f"/instances/{row['id']}/databases/{segment(name)}")
    context.finish(reply.operation_id, f"{name} is deleted.")
