"""Passwords: made, read from a file, from stdin or from a prompt; never from the command line."""

from __future__ import annotations

import argparse
import secrets
import string
import sys
from pathlib import Path

from dbctl.config import Warn, warn_if_shared
from dbctl.errors import BadUsage

LENGTH = 32
# Nothing that a URI, a shell or an options file would treat as special.
KINDS = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "-_")
ALPHABET = "".join(KINDS)


def generate() -> str:
    """32 characters (190 bits), of every kind that an engine's password policy may ask for."""
    while True:
        password = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        if password[0].isalnum() and all(set(kind) & set(password) for kind in KINDS):
            return password


def given(args: argparse.Namespace, warn: Warn) -> str | None:
    """The password by `--password-file` or `--password-prompt`; None when neither was asked for."""
    if getattr(args, "password_prompt", False):
        return ask()
    if args.password_file is None:
        return None
    return check(read(args.password_file, warn))


def read(source: str, warn: Warn) -> str:
    """The first line of a file, or of stdin for `-`."""
    if source == "-":
        return sys.stdin.readline().rstrip("\r\n")
    path = Path(source).expanduser()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise BadUsage(f"cannot read the password from {source}: {error}") from error
    warn_if_shared(path, warn)
    if len(text.splitlines()) > 1:
        raise BadUsage(f"{source} has more than one line; the password must be the only one")
    return text.rstrip("\r\n")


def ask() -> str:
    """A password typed twice at the terminal."""
    import getpass

    if not sys.stdin.isatty():
        raise BadUsage("no terminal to ask for a password", "Use --password-file FILE (or -).")
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Again: "):
        raise BadUsage("the two passwords differ")
    return check(password)


def check(password: str) -> str:
    """The password, unless it cannot be one."""
    if not password:
        raise BadUsage("the password is empty")
    if not password.isprintable():
        raise BadUsage("the password has control characters")
    return password
