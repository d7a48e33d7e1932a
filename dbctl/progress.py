"""How an operation is shown while it runs: live on a terminal, line by line elsewhere."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from dbctl.output import one_line
from dbctl.steps import FINISHED, Event, Steps, remark

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

Operation = dict[str, Any]


class Progress(Protocol):
    """Where the follower tells what it sees."""

    def update(self, operation: Operation, events: list[Event]) -> None:
        """The operation as it is now and the events that came since last time."""

    def note(self, text: str) -> None:
        """A remark of our own."""

    def close(self) -> None:
        """No more is to come."""


def make_progress(stream: TextIO | None = None) -> Progress:
    """The fitting kind for `stream` (stderr)."""
    stream = stream or sys.stderr
    if stream.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        return LiveProgress(stream)
    return PlainProgress(stream)


def heading(operation: Operation) -> str:
    """Which operation this is, in a few words."""
    words = operation["kind"].replace("_", " ")
    return f"{words} {one_line(operation.get('instance_name'))}".rstrip()


class PlainProgress:
    """A line for each finished step, for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._state = ""

    def update(self, operation: Operation, events: list[Event]) -> None:
        """Print what is new."""
        if operation["state"] != self._state and not events:
            self.note(f"{heading(operation)}: {operation['state']}")
            self._state = operation["state"]
        for event in events:
            if said := remark(event):
                self.note(one_line(said))
            elif event["state"] in FINISHED and event["state"] != "skipped":
                self.note(self._line(event))

    def _line(self, event: Event) -> str:
        place = one_line(event.get("role") or event["play"])
        seconds = f" ({event['seconds']:.1f} s)" if event.get("seconds") is not None else ""
        return f"{event['state']:<8} {place}: {one_line(event['task'])}{seconds}"

    def note(self, text: str) -> None:
        """Print a remark."""
        self._stream.write(text + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Nothing is held open."""


class LiveProgress:
    """Finished groups on a line each, running steps below with their seconds."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(file=stream, highlight=False)
        self._unicode = self._console.encoding.startswith("utf")
        self._steps = Steps()
        self._operation: Operation = {}
        self._heard = time.monotonic()
        self._live: Live = Live(
            console=self._console, get_renderable=self._frame, refresh_per_second=8
        )
        self._live.start()

    def update(self, operation: Operation, events: list[Event]) -> None:
        """Take in what is new; the screen follows by itself."""
        now = time.monotonic()
        self._operation, self._heard = operation, now
        for event in events:
            self._steps.add(event, now)
            if said := remark(event):
                self.note(one_line(said))

    def note(self, text: str) -> None:
        """Print a remark above the frame."""
        self._console.print(text, markup=False)

    def close(self) -> None:
        """Leave the last frame on the screen and give the cursor back."""
        self._steps.running.clear()
        self._live.stop()

    def _frame(self) -> Table:
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        # Least widths, so that the columns do not jump with every step.
        for width in (1, 20, 30, 6):
            table.add_column(min_width=width)
        if self._operation:
            self._finished(table)
            self._running(table)
            table.add_row("", self._head(), self._state(), self._elapsed())
        return table

    def _finished(self, table: Table) -> None:
        from rich.text import Text

        for group in self._steps.groups:
            mark = Text("x" if group.broken else "+", "red" if group.broken else "green")
            if self._unicode:
                mark.plain = "✗" if group.broken else "✓"
            count = f"{group.finished} step{'s' if group.finished > 1 else ''}"
            what = Text(one_line(group.broken or count))
            table.add_row(mark, Text(one_line(group.title)), what, f"{group.seconds:.1f} s")

    def _running(self, table: Table) -> None:
        from rich.spinner import Spinner
        from rich.text import Text

        now = time.monotonic()
        for (_, task), since in self._steps.running.items():
            spinner = Spinner("dots" if self._unicode else "line")
            table.add_row(spinner, Text(""), Text(one_line(task)), f"{now - since:.1f} s")

    def _head(self) -> Any:
        from rich.text import Text

        return Text(heading(self._operation), "bold")

    def _state(self) -> str:
        attempt = self._operation.get("attempt") or 1
        return f"{self._operation['state']}{f', attempt {attempt}' if attempt > 1 else ''}"

    def _elapsed(self) -> str:
        seconds: float = self._operation.get("seconds") or 0.0
        if self._operation["state"] in ("queued", "running"):
            seconds += time.monotonic() - self._heard
        return f"{seconds:.1f} s"
