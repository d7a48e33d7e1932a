"""Where backups lie: moved from a directory to an object store, and taken from elsewhere."""

import json
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.guest import Guest
from tests.e2e.host import CONFIG, NAME, STATE, open_records
from tests.e2e.installation import Installation
from tests.object_store import REMOTES, object_store

DIRECTORY, BUCKET = f"{STATE}/backups", "s3:moved/coffer"


@pytest.fixture
def elsewhere(coffer: Installation) -> Iterator[Path]:
    """A directory that another control plane could have left, beside a running object store."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        place = Path(name)
        place.chmod(0o755)
        with object_store(place / "store"):
            try:
                yield place / "elsewhere"
            finally:
                coffer.setup()


def rclone(coffer: Installation, *arguments: str) -> None:
    """rclone as the user whom the files belong to."""
    command = ["runuser", "-u", NAME, "--", "rclone", "--config", f"{CONFIG}/rclone.conf"]
    subprocess.run([*command, *arguments], check=True, env=coffer.environment())


def move(coffer: Installation, source: str, target: str, **variables: Any) -> None:
    """As docs/backups.md has it."""
    coffer.supervisorctl("stop", "gateway")
    rclone(coffer, "copy", source, target)
    coffer.setup("-e", json.dumps(variables))


def test_backups_move_and_come_from_elsewhere(
    coffer: Installation, shared: Guest, elsewhere: Path
) -> None:
    # given a backup in a directory, in which all stays the gateway's own when another is deleted
    first = coffer.ask("backup", "create", shared.id)["backup"]["id"]
    shared.query("CREATE TABLE moved AS SELECT 42 AS number")
    made = coffer.ask("backup", "create", shared.id)["backup"]["id"]
    coffer.dbctl("backup", "delete", first, "--yes")
    assert {path.owner() for path in Path(DIRECTORY).rglob("*")} == {NAME}
    location = coffer.ask("backup", "show", made)["backup"]["locationRef"]
    key = coffer.dbctl("backup", "key", made).stdout
    # and a copy of it that lies elsewhere, as another installation's
    other = str(uuid.uuid4())
    shutil.copytree(f"{DIRECTORY}/{shared.id}", elsewhere / other)
    known = {
        "control_plane_rclone": REMOTES,
        "control_plane_backup_sources": {"old": str(elsewhere)},
    }
    coffer.setup("-e", json.dumps(known))

    # when all backups move to an object store (where a bucket that was asked for before it was made
    # seems to be missing for a while), then the drill proves the old one there
    rclone(coffer, "mkdir", BUCKET.partition("/")[0])
    move(coffer, DIRECTORY, BUCKET, control_plane_backup_storage=BUCKET, **known)
    assert hold_drill(coffer)["state"] == "succeeded"
    assert coffer.ask("backup", "show", made)["backup"]["verified"] is True
    # and the next one lies there too
    second = coffer.ask("backup", "create", shared.id)["backup"]["id"]

    # when the copy is registered with its key, then it can be restored
    there = location.replace("RegionOne", "old").replace(shared.id, other)
    wish = ("register", there, "mysql", "--name", "found", "--key-file", "-")
    found = coffer.ask("backup", *wish, stdin=key)["backup"]["id"]
    coffer.dbctl("restore", found, "of-elsewhere", "--flavor", "small", "--volume", "1")
    made_of_it = next(
        row for row in coffer.api.get("/instances")["instances"] if row["name"] == "of-elsewhere"
    )
    restored = Guest(made_of_it["id"], "of-elsewhere", shared.password, shared.ca)
    assert restored.query("SELECT number FROM moved") == (42,)

    # when it is deleted, then only the record of it goes; the others are deleted where they lie
    files = sorted(elsewhere.rglob("*"))
    for backup in (found, made, second):
        coffer.dbctl("backup", "delete", backup, "--yes")
    assert sorted(elsewhere.rglob("*")) == files
    shared.query("DROP TABLE moved")
    move(coffer, BUCKET, DIRECTORY, **known)


def hold_drill(coffer: Installation) -> Any:
    """A look of the drill, two hours later; the operation that it began, ended."""
    with open_records() as database:
        database.execute("UPDATE backup SET created = datetime(created, '-2 hours')")
    coffer.run("python", "-c", "from worker.drill import drill; drill()")
    newest = "SELECT id FROM operation WHERE user = 'drill' ORDER BY created DESC LIMIT 1"
    ((operation,),) = coffer.records(newest)
    return coffer.ended(operation)
