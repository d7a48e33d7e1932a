"""Run the host's own tools."""

from __future__ import annotations

import subprocess


class CommandFailed(Exception):
    """A tool of the host answered with an error; the text is the tool's own."""


def run(*argv: str, stdin: str = "", timeout: float = 120) -> str:
    """Run a program and return what it printed; raise CommandFailed with its own words."""
    try:
        done = subprocess.run(
            argv, input=stdin, capture_output=True, text=True, timeout=timeout, check=False
        )
    except FileNotFoundError as error:
        raise CommandFailed(f"{argv[0]} is not installed on this host") from error
    except subprocess.TimeoutExpired as error:
        raise CommandFailed(f"{argv[0]} did not end within {timeout:g} s") from error
    if done.returncode != 0:
        raise CommandFailed(f"{' '.join(argv[:4])}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def attempt(*argv: str) -> str | None:
    """As `run`, but None when the program reports an error: for questions."""
    try:
        return run(*argv)
    except CommandFailed:
        return None
