"""Backups of another control plane, registered from a real repository where that left them."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from coffer.database import database
from coffer.models import Backup, DatastoreVersion, Operation, Repository
from tests.api.conftest import Api
from tests.api.test_backups import done, instance

__all__ = ["instance"]

KEY = "key-of-the-other-control-plane"
THERE = "22222222-2222-4222-8222-222222222222"
ROWS = os.urandom(2_000_000)
TAGS = ("engine=mysql", "version=9.7.4", "method=logical", "kind=stream")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that holds nothing; making one takes a second."""
    place = tmp_path_factory.mktemp("empty")
    restic(place, "init")
    return place


@pytest.fixture
def elsewhere(api: Api, empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where another control plane's repositories lie."""
    repositories, place = api.services.repositories, tmp_path / "elsewhere"
    settings = repositories._settings.__replace__(
        backup_storage=str(tmp_path / "own"),
        backup_sources={"other": str(place)},
        rclone_config=str(tmp_path / "rclone.conf"),
    )
    monkeypatch.setattr(repositories, "_settings", settings)
    shutil.copytree(empty, place)
    return place


def restic(place: Path, *arguments: str) -> str:
    command = ["restic", "--no-cache", "-r", str(place / THERE), *arguments]
    told = os.environ | {"RESTIC_PASSWORD": KEY}
    done = subprocess.run(
        command, input=ROWS, env=told, check=True, timeout=60, capture_output=True
    )
    return done.stdout.decode()


def back_up(place: Path, *tags: str) -> str:
    """Location of a dump with these tags."""
    words = [word for tag in tags for word in ("--tag", tag)]
    said = restic(place, "backup", "--stdin", "--stdin-filename", "dump.sql", *words)
    return f"coffer://other/{THERE}/{said.split('snapshot ')[-1].split()[0]}"


def ask(api: Api, location: str, *, key: str | None = KEY, version: str = "", **who: Any) -> Any:
    with database.connection_context():
        version = version or DatastoreVersion.get().id
    there = {"remote_location": location, "local_datastore_version_id": version, "size": 0.1}
    wanted = {"name": "found", "restore_from": there | ({"key": key} if key else {})}
    return api.call("POST", "/backups", {"backup": wanted}, **who)


def test_it_is_known_restored_and_let_go(api: Api, elsewhere: Path, wish: Any) -> None:
    location = back_up(elsewhere, *TAGS)
    answer = ask(api, location)
    assert answer.status_code == 202, answer.text
    row = answer.json["backup"]
    assert (row["status"], row["method"], row["instance_id"]) == ("RESTORED", "logical", None)
    assert row["locationRef"].startswith(location)
    assert 0 < row["size"] < 0.1
    assert ask(api, location).status_code == 409
    assert api.call("GET", f"/backups/{row['id']}/data").content == ROWS
    assert api.call("POST", f"/backups/{row['id']}/key").json == {"key": KEY}

    # its gateway gets no user of that name, and a restore reads it where it lies
    wish["instance"] |= {"restorePoint": {"backupRef": row["id"]}, "databases": [], "users": []}
    begun = api.call("POST", "/instances", wish)
    assert begun.status_code == 200, begun.text
    operation = begun.headers["coffer-operation-id"]
    with database.connection_context():
        api.services.repositories.publish()
        parameters = Operation.get_by_id(operation).parameters
        keys = api.services.repositories.variables(parameters["coffer_repository"])
        assert keys == {"coffer_repository_password": KEY}
        assert api.services.repositories.storage(parameters["coffer_repository"]) == str(elsewhere)
    assert THERE not in Path(api.services.settings.gateway_users).read_text()
    assert api.call("DELETE", f"/backups/{row['id']}").status_code == 422
    with database.connection_context():
        Operation.update(state="succeeded", lock=None).execute()

    # when it is deleted, then its data stays
    deleted = api.call("DELETE", f"/backups/{row['id']}")
    assert (deleted.status_code, deleted.headers.get("coffer-operation-id")) == (202, None)
    with database.connection_context():
        assert not Backup.select().exists()
        assert not Repository.select().exists()
    assert ask(api, location).status_code == 202


LOCATIONS = (
    "coffer://:local:/etc/00000000-0000-4000-8000-000000000000/abcdef12",
    f"coffer://other/../{THERE}/abcdef12",
    f"coffer://other/{THERE}/abcdef12/..",
    f"coffer://nowhere/{THERE}/abcdef12",
    f"coffer://other/{THERE}/abcdef12",
    f"other/{THERE}/abcdef12",
    "http://169.254.169.254/latest",
)


@pytest.mark.parametrize("location", LOCATIONS)
def test_what_leads_nowhere(api: Api, elsewhere: Path, location: str) -> None:
    answer = ask(api, location)
    assert answer.status_code == 400, answer.text
    assert "restore_from" in answer.text


def test_what_does_not_fit(api: Api, elsewhere: Path, instance: str) -> None:
    whole = back_up(elsewhere, *TAGS)
    assert "restore_from.key" in ask(api, whole, key=None).text
    assert "wrong password" in ask(api, whole, key="another").text
    assert ask(api, whole, version="nope").status_code == 400
    assert ask(api, whole, role="reader").status_code == 403
    of_other_engine = back_up(elsewhere, "engine=mongodb", *TAGS[1:])
    assert "the backup is of mongodb" in ask(api, of_other_engine).text
    newer = back_up(elsewhere, TAGS[0], "version=10.1.0", *TAGS[2:])
    assert "newer than 9.7.4" in ask(api, newer).text
    assert "not a whole backup" in ask(api, back_up(elsewhere, "log")).text
    with database.connection_context():
        assert not Repository.select().exists()

    # nor is a repository of this installation another's, whoever asks
    done(api, instance)
    (elsewhere / THERE).rename(elsewhere / instance)
    assert ask(api, whole.replace(THERE, instance)).status_code == 409
