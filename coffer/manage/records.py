"""Commands on keys, tokens, schema and datastores."""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from redis import RedisError

from coffer import keys
from coffer.catalogue import Catalogue
from coffer.database import connect, database, migrate
from coffer.datastores import register
from coffer.dispatch import unserved
from coffer.files import replace
from coffer.redis_urls import connect_redis
from coffer.secrets import Vault
from coffer.settings import Settings, load_settings
from coffer.tokens import ROLES, create_token

SETTLES = 5
"""Seconds in which who had the older keys a moment ago has written what they encrypted."""


def add_commands(verbs: Any) -> None:
    """Add the commands of this file."""
    _command(verbs, "migrate", "bring the records' schema up to date", _migrate)
    _command(verbs, "check", "see that records, Redis and workers answer", _check)
    key = _noun(verbs, "key", "keys that encrypt stored secrets")
    add = _command(key, "add", "put a new key first; it makes the file", _add_key)
    add.add_argument("file", type=Path)
    _command(key, "rotate", "make a new key and encrypt everything with it", _rotate_key)
    token = _noun(verbs, "token", "API tokens")
    _add_token_arguments(_command(token, "create", "make a token", _create_token))
    datastore = _noun(verbs, "datastore", "engines on offer")
    offer = _command(datastore, "register", "put an engine's version on offer", _register)
    offer.add_argument("engine")
    offer.add_argument("version", nargs="?", help="default: the engine's own default")
    offer.add_argument("--image", help="image that instances start from; default: the engine's")


def _noun(verbs: Any, name: str, text: str) -> Any:
    parser = verbs.add_parser(name, help=text, description=text)
    return parser.add_subparsers(required=True, metavar="COMMAND")


def _command(
    verbs: Any, name: str, text: str, run: Callable[[argparse.Namespace], int | None]
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    return parser


def _add_token_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="what the token is for")
    parser.add_argument("--project", default="default")
    parser.add_argument("--role", action="append", choices=ROLES, required=True, dest="roles")
    parser.add_argument("--user", default="", help="default: the token's name")
    parser.add_argument("--url", help="endpoint for the file of --write")
    parser.add_argument("--write", type=Path, help="write a dbctl configuration, print nothing")


def _open() -> Settings:
    settings = load_settings()
    connect(settings.database_url)
    return settings


def _migrate(_arguments: argparse.Namespace) -> None:
    _open()
    for name in migrate():
        print(f"applied {name}")


def _check(_arguments: argparse.Namespace) -> int:
    settings = _open()
    with database.connection_context():
        database.execute_sql("SELECT 1 FROM operation")
    try:
        missing = unserved(connect_redis(settings.redis_url))
    except RedisError as error:
        raise OSError(f"Redis does not answer: {error}") from error
    if missing:
        raise OSError(f"no worker serves: {', '.join(missing)}")
    print("records, Redis and workers answer")
    return 0


def _add_key(arguments: argparse.Namespace) -> None:
    keys.add(arguments.file)


def _rotate_key(_arguments: argparse.Namespace) -> None:
    """Safe to be cut off anywhere, and to be run again."""
    settings = _open()
    file = Path(settings.key_file)
    keys.add(file)
    vault = Vault.from_file(settings.key_file)
    with database.connection_context():
        done = keys.reseal(vault)
        time.sleep(SETTLES)
        done += keys.reseal(vault)
    gone = keys.drop_older(file)
    print(f"{done} secrets are encrypted with the new key, {gone} keys are dropped")
    print(f"The key before it stays in {file}, for older copies of the records")


def _create_token(arguments: argparse.Namespace) -> None:
    _open()
    with database.connection_context():
        token = create_token(
            arguments.name, arguments.project, arguments.roles, user=arguments.user
        )
    if arguments.write is None:
        print(token)
        return
    if not arguments.url:
        raise ValueError("--write needs --url, the endpoint that the configuration names")
    arguments.write.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace(arguments.write, f'url = "{arguments.url}"\ntoken = "{token}"\n')


def _register(arguments: argparse.Namespace) -> None:
    settings = load_settings()
    engine = Catalogue.of(settings).engine(arguments.engine)
    version = engine.version(arguments.version)
    offer(settings, engine.name, version.name, arguments.image or version.image)


def offer(settings: Settings, engine: str, version: str, image: str | None) -> None:
    """Put an engine's version on offer, and say so."""
    connect(settings.database_url)
    with database.connection_context():
        row, changed = register(Catalogue.of(settings), engine, version, image)
    print(f"{'registered' if changed else 'unchanged'} {engine} {row.name} ({row.version})")
