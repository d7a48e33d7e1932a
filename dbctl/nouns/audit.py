"""`dbctl audit log`: who asked for which change, from where, and what came of it."""

from __future__ import annotations

from dbctl.arguments import Subparsers, add_noun, add_verb
from dbctl.context import Context
from dbctl.output import Columns, moment


def add(nouns: Subparsers) -> None:
    """The verbs."""
    verbs = add_noun(nouns, "audit", "The audit: every change that was asked for.")
    log_parser = add_verb(verbs, "log", log, "Show the audit, newest first (administrators).")
    log_parser.add_argument("--all-projects", action="store_true", help="of every project")
    log_parser.add_argument("--user", metavar="USER", help="only of this user")
    log_parser.add_argument("--request", metavar="ID", help="only of this request")
    log_parser.add_argument("--limit", type=int, default=50, metavar="N", help="default: 50")


COLUMNS: Columns = (
    ("AT", lambda row: moment(row["at"])),
    ("USER", lambda row: row["user"]),
    ("FROM", lambda row: row["address"]),
    ("CHANGE", lambda row: f"{row['method']} {row['path']}"),
    ("STATUS", lambda row: row["status"]),
    ("OUTCOME", lambda row: row["outcome"]),
    ("REQUEST", lambda row: row["request_id"]),
)


def log(context: Context) -> None:
    """The newest records."""
    args = context.args
    rows = context.api.get(
        "/audit",
        all_projects="true" if args.all_projects else None,
        user=args.user,
        request_id=args.request,
        limit=args.limit,
    )["audit"]
    context.table("audit", rows, COLUMNS)
