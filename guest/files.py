"""Reading small files. (pathlib would cost a third of a megabyte.)"""

LARGEST = 65536


def read(path: str) -> str | None:
    """The text of a file without white space around it, None if it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:  # noqa: PTH123
            return stream.read(LARGEST).strip()
    except OSError:
        return None
