"""`coffer-manage doctor orphans`: what the provider holds of instances that have no record."""

import argparse
import json
from typing import Any

from coffer.catalogue import Catalogue
from coffer.database import connect, database
from coffer.manage.install import play
from coffer.models import Instance
from coffer.settings import load_settings


def add_commands(verbs: Any) -> None:
    """Add the commands of this file."""
    text = "looks for what should not be there"
    nouns = verbs.add_parser("doctor", help=text, description=text)
    text = "list what the provider holds of instances that have no record"
    parser = nouns.add_subparsers(required=True, metavar="COMMAND").add_parser(
        "orphans", help=text, description=text
    )
    parser.add_argument(
        "--remove", action="store_true", help="remove it too; not while an image is built"
    )
    parser.set_defaults(run=_orphans)


def _orphans(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    if "orphans" not in Catalogue.of(settings).provider.features:
        raise ValueError(f"provider '{settings.provider}' cannot tell what it holds")
    connect(settings.database_url)
    with database.connection_context():
        rows = Instance.select(Instance.id).where(Instance.deleted.is_null())
        known = [row.id for row in rows]
    told = {
        "coffer_provider": settings.provider,
        "coffer_known_instances": known,
        "coffer_remove_orphans": arguments.remove,
    }
    return play("provider_orphans", [json.dumps({**settings.provider_settings, **told})])
