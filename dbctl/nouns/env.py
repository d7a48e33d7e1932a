"""`dbctl env`: the same login for other clients."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

from dbctl.arguments import Subparsers, add_shared
from dbctl.context import Context
from dbctl.errors import BadUsage

CLOUD = "coffer"
TEXT = "Print shell exports with endpoint and token, for Trove's clients and scripts."


def add(nouns: Subparsers) -> None:
    """The command."""
    parser = nouns.add_parser("env", help=TEXT, description=TEXT)
    parser.set_defaults(run=run)
    parser.add_argument(
        "--clouds-yaml",
        action="store_true",
        help=f"write the cloud '{CLOUD}' into clouds.yaml instead: openstack --os-cloud {CLOUD} …",
    )
    add_shared(parser)


def run(context: Context) -> None:
    """Exports, a document, or an entry of clouds.yaml."""
    endpoint = context.api.endpoint
    url, token = endpoint.url, endpoint.token()
    if context.args.clouds_yaml:
        path = clouds_yaml()
        write(path, entry(url, token))
        context.say(f"Wrote the cloud '{CLOUD}' to {path}.")
        return
    project = url.rpartition("/")[2]
    pairs: list[tuple[str, object]] = [
        ("COFFER_URL", url),
        ("COFFER_TOKEN", token),
        ("OS_AUTH_TYPE", "admin_token"),
        ("OS_ENDPOINT", url),
        ("OS_TOKEN", token),
    ]
    if context.json:
        context.card({"endpoint": url, "project": project, "token": token}, [])
        return
    for name, value in pairs:
        context.out.write(f"export {name}={shlex.quote(str(value))}\n")


def entry(url: str, token: str) -> dict[str, Any]:
    """A cloud of clouds.yaml."""
    return {
        "auth_type": "admin_token",
        "auth": {"endpoint": url, "token": token},
        "database_endpoint_override": url,
    }


def clouds_yaml() -> Path:
    """The user's own file, where openstacksdk looks."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111
    return Path(home, "openstack", "clouds.yaml")


def write(path: Path, cloud: dict[str, Any]) -> None:
    """Put the cloud beside those that are there; readable by its owner alone.

    BadUsage when the file is not a clouds.yaml.
    """
    import yaml

    try:
        known = yaml.safe_load(path.read_text()) if path.exists() else None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BadUsage(f"cannot read {path}: {error}") from error
    document = known or {}
    if not isinstance(document, dict) or not isinstance(document.get("clouds") or {}, dict):
        raise BadUsage(f"{path} is not a clouds.yaml")
    document["clouds"] = {**(document.get("clouds") or {}), CLOUD: cloud}
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        yaml.safe_dump(document, stream, sort_keys=False)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.rename(path)
