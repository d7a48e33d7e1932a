"""Pieces that the nouns build their arguments from."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from dbctl.context import Context

Run = Callable[["Context"], None]
# What add_subparsers() gives; the type has no public name.
Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

FILE_COMPLETION = {"bash": "_shtab_compgen_files", "zsh": "_files"}
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def add_noun(nouns: Subparsers, name: str, text: str) -> Subparsers:
    """A noun; the answer takes its verbs."""
    parser = nouns.add_parser(name, help=text, description=text)
    return parser.add_subparsers(dest="verb", metavar="VERB", required=True)


def add_verb(
    verbs: Subparsers, name: str, run: Run, text: str, epilog: str = "", *, report: bool = False
) -> argparse.ArgumentParser:
    """A command with what all of them share; `report` lets `--json` name a file."""
    parser = verbs.add_parser(
        name,
        help=text,
        description=text,
        epilog=epilog or None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    add_shared(parser, report=report)
    return parser


def add_shared(parser: argparse.ArgumentParser, *, report: bool = False) -> None:
    """`--config`, `--os-cloud` and `--json`."""
    config = parser.add_argument(
        "--config", metavar="FILE", help="TOML file with `url` and `token` (beats COFFER_URL)"
    )
    config.complete = FILE_COMPLETION  # type: ignore[attr-defined]
    parser.add_argument(
        "--os-cloud", metavar="NAME", help="a cloud of clouds.yaml (beats --config)"
    )
    if report:
        parser.add_argument(
            "--json",
            metavar="FILE.json",
            nargs="?",
            type=report_file,
            const=True,
            default=False,
            help="one JSON document: on stdout, or in a file whose name ends in .json",
        )
    else:
        parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def report_file(text: str) -> str:
    """The name of a file for JSON, which nobody takes for an argument of another kind."""
    if not text.endswith(".json"):
        raise argparse.ArgumentTypeError(f"{text!r} does not end in .json; put --json last")
    return text


def add_waiting(parser: argparse.ArgumentParser) -> None:
    """`--no-wait` and `--timeout`."""
    parser.add_argument(
        "--no-wait", dest="wait", action="store_false", help="return as soon as it is accepted"
    )
    add_timeout(parser)


def add_timeout(parser: argparse.ArgumentParser) -> None:
    """`--timeout`."""
    parser.add_argument(
        "--timeout", type=duration, metavar="TIME", help="stop waiting after 90s, 10m, 1h …"
    )


def add_yes(parser: argparse.ArgumentParser) -> None:
    """`--yes`."""
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")


def add_password_file(parser: argparse._ActionsContainer, text: str) -> None:
    """`--password-file`."""
    action = parser.add_argument("--password-file", metavar="FILE", help=text)
    action.complete = FILE_COMPLETION  # type: ignore[attr-defined]


def duration(text: str) -> float:
    """Seconds from `90`, `90s`, `10m` or `1h`."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in UNITS else (text, "s")
    seconds = float(number) * UNITS[unit]
    if not 0 < seconds < 1e7:
        raise ValueError(text)
    return seconds


def gigabytes(text: str) -> int:
    """A whole number of GB, 1 or more."""
    size = int(text)
    if size < 1:
        raise ValueError(text)
    return size
