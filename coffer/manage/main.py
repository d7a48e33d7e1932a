"""Entry point of `coffer-manage`."""

import argparse
import sys
from collections.abc import Sequence

from coffer.errors import CofferError
from coffer.manage import doctor, images, install, records


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="coffer-manage",
        description="Administer Coffer on its own host. Users work with dbctl.",
    )
    verbs = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    install.add_commands(verbs)
    images.add_commands(verbs)
    doctor.add_commands(verbs)
    records.add_commands(verbs)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    arguments = build_parser().parse_args(argv)
    try:
        return int(arguments.run(arguments) or 0)
    except (CofferError, ValueError, OSError) as error:
        print(f"coffer-manage: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
