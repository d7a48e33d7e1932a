"""`dbctl configuration …`: groups of engine parameters, shared by instances."""

from __future__ import annotations

import json
from typing import Any

from dbctl.arguments import Subparsers, add_noun, add_timeout, add_verb, add_yes
from dbctl.context import Context
from dbctl.errors import BadUsage
from dbctl.nouns.instance import add_changing, find
from dbctl.output import Columns, moment

Row = dict[str, Any]
COLUMNS: Columns = (
    ("ID", lambda row: row["id"]),
    ("NAME", lambda row: row["name"]),
    ("DATASTORE", lambda row: f"{row['datastore_name']} {row['datastore_version_name']}"),
    ("UPDATED", lambda row: moment(row["updated"])),
)
DIFFERENCES: Columns = (
    ("INSTANCE", lambda row: row["instance"]),
    ("PARAMETER", lambda row: row["name"]),
    ("RUNS WITH", lambda row: row["running"]),
    ("WOULD GET", lambda row: row["wanted"]),
    ("WHEN", lambda row: "after a restart" if row["restart_required"] else "at once"),
)
PARAMETERS: Columns = (
    ("NAME", lambda row: row["name"]),
    ("TYPE", lambda row: row["type"]),
    ("MIN", lambda row: row.get("min")),
    ("MAX", lambda row: row.get("max")),
    ("RESTART", lambda row: "yes" if row["restart_required"] else "no"),
)


def add(nouns: Subparsers) -> None:
    """The verbs."""
    verbs = add_noun(nouns, "configuration", "Configuration groups: engine parameters.")
    add_verb(verbs, "list", list_, "List the groups.")
    parameters_parser = add_verb(verbs, "parameters", parameters, "What can be set.")
    parameters_parser.add_argument("engine", metavar="ENGINE")
    parameters_parser.add_argument("--version", metavar="V", help="default: the engine's default")
    create_parser = add_verb(verbs, "create", create, "Create a group.")
    create_parser.add_argument("name", metavar="NAME")
    create_parser.add_argument("engine", metavar="ENGINE")
    create_parser.add_argument("--version", metavar="V", help="default: the engine's default")
    create_parser.add_argument("--description", metavar="TEXT")
    set_parser = add_verb(verbs, "set", set_, "Set values; attached instances follow at once.")
    unset_parser = add_verb(verbs, "unset", unset, "Take parameters out of a group.")
    show_parser = add_verb(verbs, "show", show, "Show a group and its values.")
    delete_parser = add_verb(verbs, "delete", delete, "Delete a group.")
    add_yes(delete_parser)
    for parser in (show_parser, set_parser, unset_parser, delete_parser):
        parser.add_argument("configuration", metavar="CONFIGURATION", help="name or id")
    for parser in (create_parser, set_parser):
        parser.add_argument("values", metavar="NAME=VALUE", nargs="*")
    unset_parser.add_argument("parameters", metavar="NAME", nargs="+")
    attach_parser = add_changing(verbs, "attach", attach, "Give an instance a group's values.")
    attach_parser.add_argument("configuration", metavar="CONFIGURATION", help="name or id")
    add_changing(verbs, "detach", detach, "Bring an instance's defaults back.")
    add_diff(verbs)
    defaults_parser = add_verb(verbs, "defaults", defaults, "What an instance's size gives it.")
    defaults_parser.add_argument("instance", metavar="INSTANCE", help="name or id")


DIFF = """\
Changes nothing. Without --configuration and NAME=VALUE it tells what has drifted: where the engine
runs with other settings than those that are recorded.

examples:
  dbctl configuration diff db1
  dbctl configuration diff db1 --configuration tuned
  dbctl configuration diff --configuration tuned wait_timeout=60
"""


def add_diff(verbs: Subparsers) -> None:
    """The arguments of `diff`."""
    text = "What settings would change on an instance, or on all that have a group."
    parser = add_verb(verbs, "diff", diff, text, DIFF)
    parser.add_argument("instance", metavar="INSTANCE", nargs="?", help="default: all of the group")
    parser.add_argument("values", metavar="NAME=VALUE", nargs="*", help="as if the group had them")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--configuration", metavar="C", help="as if it were attached")
    which.add_argument("--detached", action="store_true", help="as if no group were attached")
    add_timeout(parser)


def diff(context: Context) -> None:
    """Ask each instance's engine, all at the same time, and show what it said."""
    args = context.args
    if args.instance and "=" in args.instance:
        args.instance, args.values = None, [args.instance, *args.values]
    row = group(context) if args.configuration else None
    asked: Row = {"values": parse(args.values)}
    if row or args.detached:
        asked["id"] = row["id"] if row else None
    begun = [
        (
            instance["name"],
            context.api.post(
                f"/instances/{instance['id']}/configuration/diff", {"configuration": asked}
            ),
        )
        for instance in concerned(context, row)
    ]
    differences: list[Row] = []
    for name, reply in begun:
        found = outcome(context, reply.operation_id)
        if not (found["written"] or asked["values"] or "id" in asked):
            context.warn(f"{name}: its file of settings is not as it was written")
        differences += [{"instance": name, **item} for item in found["differences"]]
    context.table("differences", differences, DIFFERENCES)


def concerned(context: Context, row: Row | None) -> list[Row]:
    """The instance that was named, else all that have the group."""
    if context.args.instance:
        return [find(context, context.args.instance)]
    if row is None:
        raise BadUsage("name an INSTANCE, or a group with --configuration")
    return context.api.pages(f"/configurations/{row['id']}/instances", "instances")


def outcome(context: Context, operation_id: str | None) -> Row:
    """What an operation found that only looks."""
    from dbctl.follow import failure

    operation = context.follow(str(operation_id))
    if operation["state"] != "succeeded":
        raise failure(operation)
    found: Row = operation["result"]["settings"]
    return found


def list_(context: Context) -> None:
    """All groups, by name."""
    rows = context.api.pages("/configurations", "configurations")
    context.table("configurations", sorted(rows, key=lambda row: str(row["name"])), COLUMNS)


def parameters(context: Context) -> None:
    """The rules of a version."""
    rows = context.api.get(f"{version(context)}/parameters")["configuration-parameters"]
    context.table("configuration-parameters", rows, PARAMETERS)


def version(context: Context) -> str:
    """Path of the version that was named, or of the default one."""
    from dbctl.client import segment

    store = f"/datastores/{segment(context.args.engine)}"
    if context.args.version:
        return f"{store}/versions/{segment(context.args.version)}"
    found = context.api.get(store)["datastore"].get("default_version")
    if found is None:
        raise BadUsage(f"{context.args.engine} has no default version", "Name one: --version V")
    return f"{store}/versions/{found}"


def show(context: Context) -> None:
    """A group."""
    row = group(context)
    values = [(name, json.dumps(value)) for name, value in sorted(row["values"].items())]
    pairs = [(title.lower(), cell(row)) for title, cell in COLUMNS]
    used = [("instances", row["instance_count"])]
    context.card({"configuration": row}, [*pairs, *used, *values])


def defaults(context: Context) -> None:
    """The settings of an instance where no group says otherwise."""
    row = find(context, context.args.instance)
    values = context.api.get(f"/instances/{row['id']}/configuration")["instance"]["configuration"]
    context.card({"configuration": values}, sorted(values.items()))


def create(context: Context) -> None:
    """A new group."""
    datastore = {"type": context.args.engine}
    if context.args.version:
        datastore["version"] = context.args.version
    wanted: Row = {
        "name": context.args.name,
        "datastore": datastore,
        "values": parse(context.args.values),
    }
    if context.args.description:
        wanted["description"] = context.args.description
    reply = context.api.post("/configurations", {"configuration": wanted})
    row = reply.document["configuration"]
    context.card(reply.document, [("id", row["id"]), ("name", row["name"])])


def set_(context: Context) -> None:
    """Merge values."""
    row = group(context)
    body = {"configuration": {"values": parse(context.args.values)}}
    context.api.patch(f"/configurations/{row['id']}", body)
    show(context)


def unset(context: Context) -> None:
    """Everything but the named ones."""
    row = group(context)
    unknown = [name for name in context.args.parameters if name not in row["values"]]
    if unknown:
        raise BadUsage(f"not in the group: {', '.join(unknown)}")
    kept = {k: v for k, v in row["values"].items() if k not in context.args.parameters}
    context.api.put(f"/configurations/{row['id']}", {"configuration": {"values": kept}})
    show(context)


def delete(context: Context) -> None:
    """Delete a group that no instance has."""
    row = group(context)
    context.confirm(f"Delete configuration {row['name']}?")
    context.api.delete(f"/configurations/{row['id']}")
    context.say(f"{row['name']} is deleted.")


def attach(context: Context) -> None:
    """Give an instance a group's values."""
    instance, row = find(context, context.args.instance), group(context)
    body = {"instance": {"configuration": row["id"]}}
    context.finish(context.api.put(f"/instances/{instance['id']}", body).operation_id)


def detach(context: Context) -> None:
    """Take them away again."""
    instance = find(context, context.args.instance)
    body = {"instance": {"configuration": None}}
    reply = context.api.put(f"/instances/{instance['id']}", body)
    if reply.operation_id is None:
        context.say(f"{instance['name']} has no configuration.")
        return
    context.finish(reply.operation_id)


def group(context: Context) -> Row:
    """The group that was meant, with its values."""
    from dbctl import resolve

    found = resolve.configuration(context.api, context.args.configuration)
    row: Row = context.api.get(f"/configurations/{found['id']}")["configuration"]
    return row


def parse(pairs: list[str]) -> Row:
    """`name=value` pairs; numbers and true/false are what they look like, the rest is text."""
    values = {}
    for pair in pairs:
        name, found, text = pair.partition("=")
        if not found or not name:
            raise BadUsage(f"'{pair}' is not NAME=VALUE")
        values[name] = parse_value(text)
    return values


def parse_value(text: str) -> Any:
    """A JSON number or boolean, or text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, bool | int | float) else text
