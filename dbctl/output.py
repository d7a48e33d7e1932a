"""What people and programs read: tables, cards, JSON; no text of others reaches a terminal raw."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, TextIO

Cell = Callable[[dict[str, Any]], object]
Columns = Sequence[tuple[str, Cell]]


def clean(value: object) -> str:
    """`value` as text without control or direction characters, which could rewrite a terminal."""
    text = "" if value is None else str(value)
    if text.isprintable():
        return text
    return "".join(
        char if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf", "Cs") else "�"
        for char in text
    )


def one_line(value: object) -> str:
    """`clean`, with line ends and tabs as spaces."""
    return " ".join(clean(value).split())


def print_json(document: object, stream: TextIO) -> None:
    """One JSON document."""
    json.dump(document, stream, indent=2)
    stream.write("\n")


def print_table(columns: Columns, rows: Sequence[dict[str, Any]], stream: TextIO) -> None:
    """A table: ruled on a terminal, aligned plain columns elsewhere (nothing cut off)."""
    cells = [[one_line(cell(row)) for _, cell in columns] for row in rows]
    titles = [title for title, _ in columns]
    if stream.isatty() and os.environ.get("TERM") != "dumb":
        print_rich(titles, cells, stream)
    else:
        print_plain([titles, *cells], stream)


def print_plain(lines: list[list[str]], stream: TextIO) -> None:
    """Columns two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        stream.write("  ".join(padded).rstrip() + "\n")


def print_rich(titles: list[str], cells: list[list[str]], stream: TextIO) -> None:
    """The same, for eyes."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    Console(file=stream, highlight=False).print(table)


def print_card(pairs: Sequence[tuple[str, object]], stream: TextIO) -> None:
    """One thing, a line for each of its fields; empty ones are left out."""
    shown = [(title, clean(value)) for title, value in pairs if value not in (None, "", [])]
    width = max((len(title) for title, _ in shown), default=0)
    for title, text in shown:
        indented = text.replace("\n", "\n" + " " * (width + 2))
        stream.write(f"{title.ljust(width)}  {indented}\n")


def moment(stamp: object) -> str:
    """The API's UTC time as people write it."""
    return f"{stamp}".partition(".")[0].replace("T", " ").rstrip("Z") + " UTC" if stamp else ""


def size_of(gigabytes: float | None) -> str:
    """A size in GB as people read it."""
    if gigabytes is None:
        return ""
    return f"{gigabytes:.1f} GB" if gigabytes >= 1 else f"{gigabytes * 1024:.1f} MB"


def span(seconds: int) -> str:
    """A time as people say it."""
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} seconds"


def say(text: str) -> None:
    """A line for the person at the terminal, on stderr."""
    sys.stderr.write(clean(text) + "\n")
