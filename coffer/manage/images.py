"""`coffer-manage image build`: what instances of an engine start from, built and put on offer."""

import argparse
import json
from typing import Any

from coffer.catalogue import Catalogue
from coffer.manage.install import play
from coffer.manage.records import offer
from coffer.settings import load_settings


def add_commands(verbs: Any) -> None:
    """Add the commands of this file."""
    text = "images that instances start from"
    nouns = verbs.add_parser("image", help=text, description=text)
    text = "build an engine's image, if what it is made of has changed, and put it on offer"
    parser = nouns.add_subparsers(required=True, metavar="COMMAND").add_parser(
        "build", help=text, description=text
    )
    parser.add_argument("engine")
    parser.add_argument("--version", help="default: the engine's own default")
    parser.add_argument(
        "-e", "--extra-vars", action="append", default=[], help="variables of roles (repeatable)"
    )
    parser.set_defaults(run=_build)


def _build(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    engine = Catalogue.of(settings).engine(arguments.engine)
    version = engine.version(arguments.version)
    named = {"engine": engine.name, "version": version.name, "provider": settings.provider}
    known = json.dumps({**settings.provider_settings, **named})
    code = play("image_build", [known, *arguments.extra_vars])
    if not code:
        offer(settings, engine.name, version.name, version.image)
    return code
