"""Newer versions of MongoDB on real instances, minor and major, with the data as they were."""

import json

import pytest

from tests.e2e.guest import Guest
from tests.e2e.installation import Installation
from tests.roles.engine_clients import CLIENTS

NEWEST, NUMBER = "6.0", "6.0.27"
ASK = "/usr/local/lib/coffer/mongodb/coffer_mongodb.py"
FILL = """python3 -s -c '
import sys
sys.path.insert(0, "/usr/local/lib/coffer/mongodb")
from coffer_mongodb import Connection
connection = Connection(27017, "root")
for batch in range(5):
    rows = [dict(number=batch * 1000 + each, text="x" * 200) for each in range(1000)]
    connection.command("app", dict(insert="many", documents=rows))
'"""
COUNT = f"""{ASK} app '{{"count": "many"}}' | sed -n 's/.*"n": \\([0-9]*\\).*/\\1/p'"""
FCV = f"""{ASK} admin '{{"getParameter": 1, "featureCompatibilityVersion": 1}}' |
tr -d ' \\n' | sed 's/.*"version":"\\([0-9.]*\\)".*/\\1/'"""


@pytest.mark.parametrize(("older", "number"), [("6.0.5", "6.0.5"), ("5.0", "5.0.4")])
def test_upgrade(coffer: Installation, older: str, number: str) -> None:
    # given an instance of an older version with data
    coffer.manage("image", "build", "mongodb", "--version", older)
    coffer.manage("datastore", "register", "mongodb")
    name = f"mongo-{number.replace('.', '-')}"
    wish = ["mongodb", name, "--version", older, "--flavor", "small", "--volume", "1"]
    made = coffer.ask("instance", "create", *wish, "--user", "app")
    guest = Guest(made["instance"]["id"], name, made["user"]["password"], coffer.ca_file())
    login = (guest.address, "app", guest.password, guest.ca, "app")
    before = CLIENTS["mongodb"].keep(*login)
    guest.shell(FILL)
    assert guest.shell(FCV).stdout.strip() == number[:3]
    # when it is brought to the newest
    upgraded = coffer.run("dbctl", "instance", "upgrade", name, NEWEST, "--json", timeout=400)
    told = json.loads(upgraded.stdout)["operation"]
    done = told["result"]["patch"]
    print(f"\n{number} -> {NUMBER}: {told['seconds']} s, {done['seconds_without_writes']} s closed")
    # then it was backed up before, and it is that, with all data and all that the version can do
    (backup,) = coffer.api.get(f"/instances/{guest.id}/backups")["backups"]
    assert (backup["status"], backup["id"]) == ("COMPLETED", told["protected_by"])
    assert done["engine"] == {"from": number, "to": NUMBER}
    shown = coffer.healthy(guest.id)["datastore"]
    assert (shown["version"], shown["version_number"]) == (NEWEST, NUMBER)
    assert guest.shell(FCV).stdout.strip() == "6.0"
    assert guest.shell(COUNT).stdout.strip() == "5000"
    assert CLIENTS["mongodb"].keep(*login) == before + 1
    # and it does not go back, nor is there more to do
    refused = coffer.dbctl("instance", "upgrade", name, older, check=False)
    assert (refused.returncode, "there is no way from" in refused.stderr) == (1, True)
    again = coffer.ask("patch", "apply", name, "--packages", "none", "--no-backup")["patch"]
    assert (again["state"], again["instances"][0]["changes"]) == ("done", []), json.dumps(again)
    coffer.dbctl("instance", "delete", name, "--yes")
