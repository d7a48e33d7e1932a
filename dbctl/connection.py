"""Connection strings and client commands, filled in from the API's connection document."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from dbctl.client import Api, Document

PLACE = "{database}"


@dataclass(frozen=True)
class Login:
    """Who connects to what; empty strings for what is not known."""

    user: str = ""
    password: str = ""
    database: str = ""


def fill_uri(connection: Document, login: Login, ca: str = "{ca}") -> str:
    """The connection string; user, password and database percent-encoded (RFC 3986)."""
    who = quote(login.user, safe="")
    if login.password:
        who += ":" + quote(login.password, safe="")
    uri = connection["uri"].replace("{user}@", f"{who}@" if who else "", 1)
    values = {
        "host": connection["host"],
        "port": str(connection["port"]),
        "user": quote(login.user, safe=""),
        "database": quote(login.database, safe=""),
        "ca": quote(ca, safe="/{}"),
    }
    return fill(uri, values)


def fill_arguments(templates: list[str], connection: Document, login: Login, ca: str) -> list[str]:
    """A client's arguments; without a database, arguments that are only about it are left out."""
    values = {
        "host": connection["host"],
        "port": str(connection["port"]),
        "user": login.user,
        "database": login.database,
        "ca": ca,
    }
    wanted = templates if login.database else [text for text in templates if not about(text)]
    return [fill(text, values) for text in wanted]


def about(template: str) -> bool:
    """Whether an argument says the database and nothing else: `{database}`, `--db={database}`."""
    return template == PLACE or (template.startswith("-") and template.endswith("=" + PLACE))


def fill(template: str, values: dict[str, str]) -> str:
    """Put values in place of `{name}`, in one pass, so that a value is never searched again."""
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), template)


def ca_file(api: Api) -> Path:
    """The CA's certificate in a private cache file, fetched anew each time (it may rotate)."""
    pem = api.ca_certificate()
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    folder = Path(home, "coffer")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    server = hashlib.sha256(api.endpoint.root.encode()).hexdigest()[:12]
    return write_private(folder / f"ca-{server}.pem", pem)


def write_private(path: Path, text: str) -> Path:
    """Write a 0600 file whole or not at all."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    return Path(draft).replace(path)
