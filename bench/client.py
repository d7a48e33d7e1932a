"""A small client of the installation that dbctl's configuration names, for the benchmarks.

`COFFER_URL` and `COFFER_TOKEN`, which dbctl knows too, name another one.
"""

import json
import os
import tomllib
import urllib.request
from pathlib import Path
from typing import Any

CONFIG = Path.home() / ".config/coffer/dbctl.toml"


class Api:
    """JSON over HTTP with the administrator's token."""

    def __init__(self) -> None:
        told = {key: os.environ.get(f"COFFER_{key.upper()}") for key in ("url", "token")}
        values = told if all(told.values()) else tomllib.loads(CONFIG.read_text())
        self._url, self._token = str(values["url"]), str(values["token"])

    def call(self, method: str, path: str, body: Any = None) -> tuple[Any, str]:
        """The document and the id of the operation that was started."""
        request = urllib.request.Request(  # noqa: S310
            self._url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Auth-Token": self._token, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            text = answer.read()
            return json.loads(text or b"{}"), answer.headers.get("Coffer-Operation-Id", "")

    def instance(self, name: str) -> str:
        """The id of the instance of that name."""
        rows = self.call("GET", "/instances")[0]["instances"]
        return next(str(row["id"]) for row in rows if row["name"] == name)
