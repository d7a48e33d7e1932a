"""Where the API is and with which token.

Sources are asked in order and the first that answers wins; another way to log in
(a cloud from clouds.yaml, say) is one more function in `SOURCES`.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dbctl.errors import BadUsage

Warn = Callable[[str], None]

EXAMPLE = (
    "Set COFFER_URL (http://HOST:8779/v1.0/PROJECT) and COFFER_TOKEN,",
    "or write both to ~/.config/coffer/dbctl.toml:",
    '  url = "http://127.0.0.1:8779/v1.0/PROJECT"',
    '  token = "…"',
)


@dataclass(frozen=True)
class Endpoint:
    """A project's base URL, without a trailing slash, and a function that gives a valid token."""

    url: str
    token: Callable[[], str]

    @property
    def root(self) -> str:
        """The server's own root: what stands before `/v1.0/`."""
        return self.url.rpartition("/v1.0/")[0]


@dataclass(frozen=True)
class Surroundings:
    """What a source may look at: the arguments, the environment, a way to warn."""

    args: argparse.Namespace
    environment: Mapping[str, str]
    warn: Warn


Source = Callable[[Surroundings], Endpoint | None]


def find_endpoint(given: Surroundings) -> Endpoint:
    """The endpoint of the first source that knows one; BadUsage when none does."""
    for source in SOURCES:
        endpoint = source(given)
        if endpoint is not None:
            return endpoint
    raise BadUsage("no Coffer server is configured", *EXAMPLE)


def from_option(given: Surroundings) -> Endpoint | None:
    """`--config FILE`: said for this one command, so it beats the environment."""
    if not given.args.config:
        return None
    path = Path(given.args.config)
    return endpoint_of(read_toml(path), path, given.warn)


def from_environment(given: Surroundings) -> Endpoint | None:
    """COFFER_URL and COFFER_TOKEN: both or none, so that no token reaches a server not its own."""
    url, token = given.environment.get("COFFER_URL"), given.environment.get("COFFER_TOKEN")
    if not url and not token:
        return None
    if not url or not token:
        missing, there = ("COFFER_TOKEN", "COFFER_URL") if url else ("COFFER_URL", "COFFER_TOKEN")
        raise BadUsage(f"{there} is set but {missing} is not", "Set both, or neither.")
    return make_endpoint(url, token, "COFFER_URL")


def from_file(given: Surroundings) -> Endpoint | None:
    """The file that COFFER_CONFIG names, or the user's own configuration file when it exists.

    On the server itself COFFER_CONFIG may name the settings of the service: passed over.
    """
    named = given.environment.get("COFFER_CONFIG")
    if named and {"url", "token"} & set(values := read_toml(Path(named))):
        return endpoint_of(values, Path(named), given.warn)
    home = given.environment.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111
    path = Path(home, "coffer", "dbctl.toml")
    if path.exists():
        return endpoint_of(read_toml(path), path, given.warn)
    return None


def from_cloud(given: Surroundings) -> Endpoint | None:
    """`--os-cloud NAME`: a cloud of clouds.yaml, said for this one command."""
    name = getattr(given.args, "os_cloud", None)
    return cloud_endpoint(name) if name else None


def from_named_cloud(given: Surroundings) -> Endpoint | None:
    """OS_CLOUD, once nothing of Coffer's own says where to go."""
    return cloud_endpoint(None) if given.environment.get("OS_CLOUD") else None


def cloud_endpoint(name: str | None) -> Endpoint:
    """The database service of a cloud, found and logged in to as openstacksdk does."""
    from dbctl.cloud import find

    url, token = find(name)
    return Endpoint(url.rstrip("/"), token)


SOURCES: tuple[Source, ...] = (
    from_cloud,
    from_option,
    from_environment,
    from_file,
    from_named_cloud,
)


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file says; BadUsage when it cannot be read as one."""
    import tomllib

    try:
        return tomllib.loads(path.expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        raise BadUsage(f"cannot read {path}: {error.strerror}", *EXAMPLE) from error
    except ValueError as error:
        raise BadUsage(f"{path} is not a TOML file: {error}", *EXAMPLE) from error


def endpoint_of(values: Mapping[str, Any], path: Path, warn: Warn) -> Endpoint:
    """The endpoint that a file's `url` and `token` make."""
    warn_if_shared(path.expanduser(), warn)
    for key in ("url", "token"):
        if not isinstance(values.get(key), str) or not values[key]:
            raise BadUsage(f"{path} has no `{key}`", *EXAMPLE)
    return make_endpoint(values["url"], values["token"], str(path))


def warn_if_shared(path: Path, warn: Warn) -> None:
    """Warn when others can read a file that holds a secret."""
    if path.is_file() and path.stat().st_mode & 0o077:
        warn(f"others can read {path}, which holds a secret: chmod 600 {path}")


def make_endpoint(url: str, token: str, origin: str) -> Endpoint:
    """Check the URL's shape; `origin` names where it was found."""
    root, version, project = url.rstrip("/").partition("/v1.0/")
    parts = urlsplit(root)
    if parts.scheme not in ("http", "https") or not (parts.hostname and version and project):
        raise BadUsage(f"{origin}: {url!r} is not a URL like http://HOST:8779/v1.0/PROJECT")
    if not (token.isascii() and token.isprintable()):
        raise BadUsage(f"{origin}: its token has characters that no token has")
    return Endpoint(url.rstrip("/"), lambda: token)
