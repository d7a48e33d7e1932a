"""`dbctl quota …`: how much a project may have."""

from __future__ import annotations

from typing import Any

from dbctl.arguments import Subparsers, add_noun, add_verb
from dbctl.context import Context
from dbctl.errors import BadUsage
from dbctl.output import Columns

Row = dict[str, Any]
RESOURCES = {"instances": "", "ram": " (MB)", "volumes": " (GB)", "backups": ""}


def add(nouns: Subparsers) -> None:
    """The verbs."""
    verbs = add_noun(nouns, "quota", "Quotas: how much a project may have.")
    show_parser = add_verb(verbs, "show", show, "Show a project's quotas and what it uses.")
    show_parser.add_argument("project", metavar="PROJECT", nargs="?", help="default: your own")
    set_parser = add_verb(verbs, "set", set_, "Set quotas of a project (administrators).")
    set_parser.add_argument("project", metavar="PROJECT")
    for name, unit in RESOURCES.items():
        text = f"most {name}{unit}; -1 for no limit"
        set_parser.add_argument(f"--{name}", type=int, metavar="N", help=text)


def limit(row: Row) -> str:
    """The most there may be, in a person's words."""
    return "no limit" if row["limit"] == -1 else str(row["limit"])


COLUMNS: Columns = (
    ("RESOURCE", lambda row: row["resource"] + RESOURCES.get(row["resource"], "")),
    ("IN USE", lambda row: row["in_use"]),
    ("RESERVED", lambda row: row["reserved"]),
    ("LIMIT", limit),
)


def path(project: str) -> str:
    """Where a project's quotas are."""
    from dbctl.client import segment

    return f"/mgmt/quotas/{segment(project)}"


def show(context: Context) -> None:
    """What may be had and what is."""
    project = context.args.project or context.api.endpoint.url.rpartition("/")[2]
    context.table("quotas", context.api.get(path(project))["quotas"], COLUMNS)


def set_(context: Context) -> None:
    """Set those that were given, then show all."""
    args = context.args
    given = {name: getattr(args, name) for name in RESOURCES if getattr(args, name) is not None}
    if not given:
        raise BadUsage("nothing to set", "Say at least one of --" + ", --".join(RESOURCES))
    context.api.put(path(args.project), {"quotas": given})
    show(context)
