"""`dbctl root …`: the engine's superuser, off unless somebody needs it."""

from __future__ import annotations

from dbctl.arguments import Subparsers, add_noun, add_verb
from dbctl.context import Context
from dbctl.nouns.instance import add_changing, add_target, find
from dbctl.nouns.user import add_password


def add(nouns: Subparsers) -> None:
    """The verbs."""
    verbs = add_noun(nouns, "root", "The superuser of an instance's engine.")
    add_target(add_verb(verbs, "show", show, "Whether it is enabled."))
    enable_parser = add_verb(verbs, "enable", enable, "Enable it, or give it a new password.")
    add_target(enable_parser)
    add_password(enable_parser)
    add_changing(verbs, "disable", disable, "Disable it.")


def show(context: Context) -> None:
    """Enabled or not."""
    row = find(context, context.args.instance)
    document = context.api.get(f"/instances/{row['id']}/root")
    context.card(document, [("enabled", "yes" if document["rootEnabled"] else "no")])


def enable(context: Context) -> None:
    """The server makes a password unless one is given; it is shown once, on stdout."""
    from dbctl import password

    row = find(context, context.args.instance)
    given = password.given(context.args, context.warn)
    reply = context.api.post(f"/instances/{row['id']}/root", {"password": given} if given else {})
    user = reply.document["user"]
    context.card(reply.document, [("user", user["name"]), ("password", user["password"])])


def disable(context: Context) -> None:
    """Remove the superuser."""
    row = find(context, context.args.instance)
    context.finish(context.api.delete(f"/instances/{row['id']}/root").operation_id)
