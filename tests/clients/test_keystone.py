"""Keystone as the authenticator: a real one, from a password to an instance."""

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet

from tests.clients.service import BIN, Service, clean

if shutil.which("keystone-manage", path=str(BIN)) is None:
    pytest.skip("Keystone is not installed: see the group dev of pyproject.toml", True)
from tests.clients.keystone import PASSWORD, Keystone

WISH = {
    "name": "db1",
    "flavorRef": "small",
    "volume": {"size": 1},
    "datastore": {"type": "mysql", "version": "9.7"},
}


class Cloud:
    """A Keystone, and a Coffer in its catalogue."""

    def __init__(self, keystone: Keystone, service: Service, projects: dict[str, str]) -> None:
        self.keystone, self.service, self.projects = keystone, service, projects

    def token(self, user: str, project: str = "p1") -> str:
        token: str = self.keystone.connect(user, project).auth_token
        return token

    def call(
        self, method: str, path: str, token: str, body: Any = None, project: str = "p1"
    ) -> tuple[int, Any, Any]:
        """Status, document and headers of an answer."""
        request = urllib.request.Request(  # noqa: S310
            f"{self.service.root}/v1.0/{self.projects[project]}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Auth-Token": token, "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read() or b"{}"), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read()), error.headers

    def openstack(self, user: str, line: str, project: str = "p1") -> str:
        """The `openstack` command, logged in by a password."""
        login = self.keystone.login(user, project)
        options = [f"--os-{key.replace('_', '-')}={value}" for key, value in login.items()]
        command = [str(BIN / "openstack"), *options, *line.split()]
        done = subprocess.run(
            command, env=clean(os.environ), capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    home: Path = tmp_path_factory.mktemp("cloud")
    with Keystone(tmp_path_factory.mktemp("keystone")).running() as keystone:
        policy = home / "policy.yml"
        policy.write_text("DELETE /instances/{instance}: [admin, dba]\n")
        more = f'keystone_config = "{keystone.authtoken}"\npolicy_file = "{policy}"\n'
        with Service(home, more).running() as service:
            yield Cloud(keystone, service, keystone.fill(service.root))


@pytest.fixture(scope="module")
def made(cloud: Cloud) -> str:
    status, document, _ = cloud.call("POST", "/instances", cloud.token("ann"), {"instance": WISH})
    assert status == 200, document
    return str(document["instance"]["id"])


def test_projects_are_apart(cloud: Cloud, made: str) -> None:
    bob = cloud.token("bob", "p2")
    assert cloud.call("GET", f"/instances/{made}", bob, project="p2")[0] == 404
    assert cloud.call("GET", f"/instances/{made}", bob)[0] == 403
    assert cloud.call("GET", "/instances", bob, project="p2")[1]["instances"] == []


def test_roles(cloud: Cloud, made: str) -> None:
    rae, ann, boss = (cloud.token(name) for name in ("rae", "ann", "boss"))
    assert cloud.call("GET", f"/instances/{made}", rae)[0] == 200
    assert cloud.call("POST", "/instances", rae, {"instance": WISH})[0] == 403
    assert cloud.call("GET", "/mgmt/instances", ann)[0] == 403
    (row,) = cloud.call("GET", "/mgmt/instances", boss)[1]["instances"]
    assert row["tenant_id"] == cloud.projects["p1"]


def test_the_policy_can_be_changed(cloud: Cloud, made: str) -> None:
    status, document, _ = cloud.call("DELETE", f"/instances/{made}", cloud.token("ann"))
    assert (status, "'dba'" in document["forbidden"]["message"]) == (403, True)


def test_tokens_that_open_nothing(cloud: Cloud) -> None:
    forged = cloud.token("ann")[:-8] + "AAAAAAAA"
    for token in (forged, "nonsense", "x" * 4000):
        status, document, headers = cloud.call("GET", "/instances", token)
        assert (status, document["unauthorized"]["code"]) == (401, 401)
        assert headers["WWW-Authenticate"] == f'Keystone uri="{cloud.keystone.url}"'


def test_tokens_that_are_forged_or_have_expired(cloud: Cloud) -> None:
    keystone, good, now = cloud.keystone, cloud.token("ann"), time.time()
    same = keystone.altered(good, now + 600)
    assert cloud.call("GET", "/instances", same)[0] == 200, "the means of this test work"
    forged = keystone.altered(good, now + 600, Fernet.generate_key())
    for token in (forged, keystone.altered(good, now - 60)):
        status, document, _ = cloud.call("GET", "/instances", token)
        assert (status, document["unauthorized"]["code"]) == (401, 401)


def test_a_token_ends_when_it_expires(cloud: Cloud) -> None:
    """Also one that Coffer knows: what it remembers ends with it."""
    expires = time.time() + 5
    token = cloud.keystone.altered(cloud.token("ann"), expires)
    assert cloud.call("GET", "/instances", token)[0] == 200
    time.sleep(max(expires - time.time(), 0) + 0.5)
    assert cloud.call("GET", "/instances", token)[0] == 401


def test_a_token_without_a_project(cloud: Cloud) -> None:
    login = {**cloud.keystone.login("ann", "p1")}
    del login["project_name"], login["project_domain_id"]
    import openstack

    unscoped = openstack.connect(load_yaml_config=False, load_envvars=False, auth=login)
    assert cloud.call("GET", "/instances", unscoped.session.get_token())[0] == 403


def test_revoked_tokens(cloud: Cloud) -> None:
    """A token that Coffer never saw; one that it knows is believed for half a minute."""
    connection = cloud.keystone.connect("ann", "p1")
    token = connection.auth_token
    connection.session.delete(
        f"{cloud.keystone.url}/auth/tokens", headers={"X-Subject-Token": token}
    )
    assert cloud.call("GET", "/instances", token)[0] == 401


def test_built_in_tokens_still_work(cloud: Cloud) -> None:
    token = cloud.service.token("admin", cloud.projects["p1"])
    assert cloud.call("GET", "/instances", token)[0] == 200


def test_the_catalogue_leads_clients_here(cloud: Cloud, made: str) -> None:
    rows = json.loads(cloud.openstack("ann", "database instance list -f json"))
    assert [row["ID"] for row in rows] == [made]
    shown = cloud.keystone.connect("ann", "p1").database.get_instance(made)
    assert shown.name == "db1"


def test_logs_are_read_as_from_swift(cloud: Cloud, made: str, tmp_path: Path) -> None:
    for _ in range(2):
        cloud.openstack("ann", f"database log set {made} error --publish")
    assert cloud.openstack("ann", f"database log tail {made} error --lines 3") == "two\none\ntwo\n"
    file = tmp_path / "error.log"
    cloud.openstack("ann", f"database log save {made} error --file {file}")
    assert file.read_text() == "one\ntwo\none\ntwo\n"
    prefix = f"{made}_error_"
    path = f"/objects/database_logs?format=json&prefix={prefix}"
    (first, _) = cloud.call("GET", path, cloud.token("ann"))[1]
    for where in (path, f"/objects/database_logs/{first['name']}"):
        assert cloud.call("GET", where, cloud.token("rae"))[0] == 403
        assert cloud.call("GET", where, cloud.token("bob", "p2"), project="p2")[0] == 404


def test_quotas_by_the_projects_name(cloud: Cloud) -> None:
    cloud.openstack("boss", "database quota update p2 instances 5")
    rows = json.loads(cloud.openstack("boss", "database quota show p2 -f json"))
    assert {row["Resource"]: row["Limit"] for row in rows}["instances"] == 5


def test_dbctl_reads_clouds_yaml(cloud: Cloud, made: str, tmp_path: Path) -> None:
    login = {"auth": cloud.keystone.login("ann", "p1"), "region_name": "RegionOne"}
    (tmp_path / "clouds.yaml").write_text(yaml.safe_dump({"clouds": {"mine": login}}))
    environment = clean(os.environ) | {"HOME": str(tmp_path)}
    for arguments, more in ((["--os-cloud", "mine"], {}), ([], {"OS_CLOUD": "mine"})):
        done = subprocess.run(
            [str(BIN / "dbctl"), "instance", "list", "--json", *arguments],
            env=environment | more,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert [row["id"] for row in json.loads(done.stdout)["instances"]] == [made]
    assert PASSWORD not in done.stdout + done.stderr
