"""The entry point: parse, run, turn exceptions into sentences and exit codes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from dbctl.context import Context
from dbctl.errors import INTERRUPTED, DbctlError
from dbctl.output import say
from dbctl.parser import build_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run dbctl; the exit code (see `dbctl --help`)."""
    if arguments is None:
        # So that a generated password is still told, and the cursor given back.
        signal.signal(signal.SIGTERM, terminate)
    ours, clients = split(list(sys.argv[1:] if arguments is None else arguments))
    args = build_parser().parse_args(ours)
    args.client_arguments = clients
    try:
        args.run(Context(args))
        sys.stdout.flush()
    except DbctlError as error:
        return complain(error)
    except KeyboardInterrupt:
        say("\ndbctl: interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output (`head`, a pager) has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def terminate(number: int, frame: object) -> NoReturn:  # noqa: ARG001
    """Leave by way of every `finally`."""
    sys.exit(128 + number)


def split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Our arguments and, for `connect`, what follows `--` and belongs to the client."""
    if "--" not in arguments or arguments[0] != "connect":
        return arguments, []
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]


def complain(error: DbctlError) -> int:
    """What happened and what to do next, on stderr; the exit code."""
    sys.stdout.flush()
    say(f"dbctl: {error.message}")
    for hint in error.hints:
        say(f"  {hint}")
    return error.code
