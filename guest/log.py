"""Lines on standard error with the priorities that journald reads (sd-daemon(3))."""

import sys


def error(message: str) -> None:
    """Something that a person has to mend."""
    _write(3, message)


def warning(message: str) -> None:
    """Something that may heal by itself."""
    _write(4, message)


def info(message: str) -> None:
    """Something that happened."""
    _write(6, message)


def _write(priority: int, message: str) -> None:
    print(f"<{priority}>{message}", file=sys.stderr, flush=True)
