"""The whole grammar of dbctl; man pages and completions are made from it."""

from __future__ import annotations

import argparse
from typing import Any

from dbctl.nouns import (
    audit,
    backup,
    ca,
    completion,
    configuration,
    connect,
    create,
    database,
    datastore,
    doctor,
    env,
    flavor,
    instance,
    log,
    operation,
    password,
    patch,
    quota,
    restore,
    root,
    schedule,
    user,
    window,
)

DESCRIPTION = "Databases as a service: create, watch and use them."
EPILOG = """\
configuration:
  COFFER_URL=http://HOST:8779/v1.0/PROJECT and COFFER_TOKEN, or a TOML file with
  `url` and `token`: --config FILE, COFFER_CONFIG, ~/.config/coffer/dbctl.toml;
  or a cloud of clouds.yaml: --os-cloud NAME, OS_CLOUD

exit status:
  0 done   1 failed   2 wrong usage   3 not found   4 --timeout passed, still going on
  130 Ctrl-C (an operation under way goes on)

example:
  dbctl instance create mysql db1 --flavor small --volume 1 --user app
"""


class Version(argparse.Action):
    """`--version`, looked up only when asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> None:
        """Print the version and leave."""
        from importlib.metadata import PackageNotFoundError, version

        try:
            number = version("coffer")
        except PackageNotFoundError:
            number = "(not installed)"
        parser.exit(0, f"dbctl {number}\n")


def build_parser() -> argparse.ArgumentParser:
    """The parser; each command leaves its function in `run`."""
    parser = argparse.ArgumentParser(
        prog="dbctl",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=Version, nargs=0, help="show the version and exit")
    nouns = parser.add_subparsers(dest="noun", metavar="NOUN", required=True)
    verbs = instance.add(nouns)
    create.add(verbs)
    database.add(nouns)
    user.add(nouns)
    password.add(nouns)
    root.add(nouns)
    configuration.add(nouns)
    log.add(nouns)
    backup.add(nouns)
    restore.add(nouns)
    schedule.add(nouns)
    patch.add(nouns)
    window.add(nouns)
    operation.add(nouns)
    datastore.add(nouns)
    flavor.add(nouns)
    quota.add(nouns)
    audit.add(nouns)
    doctor.add(nouns)
    connect.add(nouns)
    ca.add(nouns)
    env.add(nouns)
    completion.add(nouns)
    return parser
