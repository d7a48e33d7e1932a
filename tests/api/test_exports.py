"""Backups as plain files, from a real repository."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from coffer.database import database
from coffer.models import Backup
from tests.api.conftest import Api
from tests.api.test_backups import done, instance, make

__all__ = ["instance"]

ROWS = os.urandom(200_000)


@pytest.fixture
def stored(api: Api, instance: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Id of a backup whose data lies in the storage."""
    repositories = api.services.repositories
    store, source = tmp_path / "store", tmp_path / "dump.sql"
    monkeypatch.setattr(repositories, "_settings", repositories._settings.__replace__(
        backup_storage=str(store), rclone_config=str(tmp_path / "rclone.conf")
    ))  # fmt: skip
    backup = done(api, instance)
    with database.connection_context():
        told = {"RESTIC_PASSWORD": repositories.key(instance)}
        source.write_bytes(ROWS)
        for line in (["init"], ["backup", "--stdin", "--stdin-filename", "dump.sql"]):
            command = ["restic", "--no-cache", "-r", str(store / instance), *line]
            with source.open("rb") as rows:
                subprocess.run(command, stdin=rows, env=os.environ | told, check=True, timeout=60)
        details = {"kind": "stream", "path": "/dump.sql"}
        Backup.update(snapshot="latest", details=details).execute()
    return backup


def test_the_data_comes_back(api: Api, stored: str) -> None:
    answer = api.call("GET", f"/backups/{stored}/data")
    assert (answer.status_code, answer.content == ROWS) == (200, True)
    assert f"{stored}.sql" in answer.headers["content-disposition"]
    with database.connection_context():
        Backup.update(details={"kind": "directory", "path": "/"}).execute()
    assert b"dump.sql" in api.call("GET", f"/backups/{stored}/data").content


def test_what_cannot_be_read_says_so(api: Api, stored: str, instance: str) -> None:
    with database.connection_context():
        Backup.update(snapshot="00000000").execute()
    answer = api.call("GET", f"/backups/{stored}/data")
    assert answer.status_code == 422
    assert "cannot be read" in answer.text


def test_who_may(api: Api, instance: str) -> None:
    unfinished: Any = make(api, instance).json["backup"]["id"]
    path = f"/backups/{unfinished}/data"
    assert api.call("GET", path).status_code == 409
    assert api.call("GET", path, role="reader").status_code == 403
    assert api.call("GET", path, role="stranger", project="p2").status_code == 404
