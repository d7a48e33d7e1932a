"""What every command is handed: the API (made on first use), stdout, waiting, asking."""

from __future__ import annotations

import argparse
import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any, TextIO

from dbctl import output
from dbctl.errors import BadUsage, DbctlError

if TYPE_CHECKING:
    from dbctl.client import Api, Document

SILENT = 30
"""Seconds without a report after which it is worth a word; guests report every 10."""


class Context:
    """One run of dbctl. Heavy imports happen in its methods, so that `--help` is quick."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args

    @property
    def out(self) -> TextIO:
        """Where results go."""
        return sys.stdout

    @property
    def json(self) -> bool:
        """Whether `--json` was given, and no file for it."""
        return self.args.json is True

    @cached_property
    def api(self) -> Api:
        """The API of the configured endpoint."""
        from dbctl.client import Api
        from dbctl.config import Surroundings, find_endpoint

        return Api(find_endpoint(Surroundings(self.args, os.environ, self.warn)))

    def say(self, text: str) -> None:
        """A line for the person, on stderr."""
        output.say(text)

    def warn(self, text: str) -> None:
        """A line that they should not overlook."""
        output.say(f"dbctl: warning: {text}")

    def table(self, key: str, rows: list[dict[str, Any]], columns: output.Columns) -> None:
        """Many things: a table, or `{key: rows}`."""
        if self.json:
            output.print_json({key: rows}, self.out)
        elif rows:
            output.print_table(columns, rows, self.out)
        else:
            self.say(f"No {key}.")

    def observed(self, key: str, rows: list[dict[str, Any]], columns: output.Columns) -> None:
        """What a guest last told; says so when that was a while ago."""
        self.table(key, rows, columns)
        if self.api.age > SILENT:
            self.warn(
                f"the guest was last heard {output.span(self.api.age)} ago; it may differ now"
            )

    def card(self, document: Document, pairs: list[tuple[str, object]]) -> None:
        """One thing: its fields, or the whole document."""
        if self.json:
            output.print_json(document, self.out)
        else:
            output.print_card(pairs, self.out)

    def confirm(self, question: str) -> None:
        """Ask; BadUsage without a terminal to ask at, DbctlError when the answer is no."""
        if self.args.yes:
            return
        if not sys.stdin.isatty():
            raise BadUsage("this asks first, and there is no terminal", "Say --yes to go ahead.")
        sys.stderr.write(output.clean(question) + " [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise DbctlError("nothing was done")

    def follow(self, operation_id: str, after: int = 0) -> Document:
        """Wait for an operation, showing its steps; the ended operation, however it ended."""
        from dbctl.follow import Follower, Pace
        from dbctl.progress import make_progress

        follower = Follower(self.api, operation_id, make_progress(), Pace())
        return follower.run(self.args.timeout, after)

    def finish(
        self,
        operation_id: str | None,
        done: str = "",
        after: int = 0,
        beside: Document | None = None,
    ) -> None:
        """See an accepted change through as `--no-wait` says, and report it.

        `done` is the sentence for success, if one is due; `beside` goes into the JSON document
        with the operation. Raises OperationFailed when there is
        no success.
        """
        from dbctl.follow import failure, ways

        if operation_id is None:
            raise DbctlError("the server did not name the operation; it may not be a Coffer server")
        if not self.args.wait:
            self.report(self.api.get(f"/operations/{operation_id}")["operation"], beside)
            for line in ways(operation_id):
                self.say(line)
            return
        operation = self.follow(operation_id, after)
        self.report(operation, beside)
        if operation["state"] != "succeeded":
            raise failure(operation)
        if done:
            self.say(done)

    def report(self, operation: Document, beside: Document | None = None) -> None:
        """The operation as JSON, if that was asked for."""
        if self.json:
            output.print_json({"operation": operation, **(beside or {})}, self.out)
