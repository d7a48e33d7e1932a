"""dbctl's commands about quotas, the audit and other clients, against a served API."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.clients.service import BIN, Service, clean


@pytest.fixture
def run(service: Service, tmp_path: Path) -> Any:
    """Run a program with dbctl's configuration of an administrator."""
    told = clean(os.environ) | {
        "HOME": str(tmp_path),
        "COFFER_URL": service.url,
        "COFFER_TOKEN": service.tokens["admin"],
        "PATH": f"{BIN}:{os.environ['PATH']}",
    }

    def go(*command: str, code: int = 0) -> str:
        done = subprocess.run(
            command,
            env=told,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done.stderr if code else done.stdout

    return go


def test_quotas(run: Any) -> None:
    run("dbctl", "quota", "set", "p9", "--instances", "3", "--volumes", "-1")
    rows = json.loads(run("dbctl", "quota", "show", "p9", "--json"))["quotas"]
    limits = {row["resource"]: row["limit"] for row in rows}
    assert (limits["instances"], limits["volumes"]) == (3, -1)
    assert "no limit" in run("dbctl", "quota", "show", "p9")


def test_the_audit_has_dbctls_own_request(run: Any) -> None:
    run("dbctl", "quota", "set", "p8", "--backups", "1")
    newest = json.loads(run("dbctl", "audit", "log", "--json", "--limit", "1"))["audit"][0]
    assert (newest["method"], newest["status"]) == ("PUT", 200)
    assert newest["path"].endswith("/mgmt/quotas/p8")
    one = json.loads(run("dbctl", "audit", "log", "--request", newest["request_id"], "--json"))
    assert one["audit"] == [newest]
    assert "PUT" in run("dbctl", "audit", "log")


def test_exports_for_other_clients(run: Any, service: Service) -> None:
    env = json.loads(run("dbctl", "env", "--json"))
    assert env == {"endpoint": service.url, "project": "p1", "token": service.tokens["admin"]}
    script = 'eval "$(dbctl env)"; exec openstack database flavor list -f value -c ID'
    assert "small" in run("sh", "-c", script).split()


def test_an_entry_in_clouds_yaml(run: Any, tmp_path: Path) -> None:
    path = tmp_path / ".config/openstack/clouds.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("clouds:\n  other:\n    region_name: elsewhere\n")
    run("dbctl", "env", "--clouds-yaml")
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(yaml.safe_load(path.read_text())["clouds"]) == ["other", "coffer"]
    listed = run("openstack", "--os-cloud", "coffer", "datastore", "list", "-f", "value")
    assert "mysql" in listed


def test_logs(run: Any) -> None:
    run("dbctl", "instance", "create", "mysql", "db1", "--flavor", "small", "--volume", "1")
    rows = json.loads(run("dbctl", "log", "list", "db1", "--json"))["logs"]
    assert [row["name"] for row in rows] == ["error", "slow_query", "general"]
    assert "always on" in run("dbctl", "log", "list", "db1")
    assert "always on" in run("dbctl", "log", "disable", "db1", "error", code=1)
    assert "dbctl log enable" in run("dbctl", "logs", "db1", "--log", "slow", code=2)
    assert "it has error, slow_query" in run("dbctl", "logs", "db1", "--log", "x", code=2)
    run("dbctl", "log", "enable", "db1", "slow")
    assert run("dbctl", "logs", "db1", "--log", "slow", "-n", "1") == "two\n"
    assert run("dbctl", "log", "tail", "db1", "--log", "slow") == "one\ntwo\none\ntwo\n"
    found = json.loads(run("dbctl", "logs", "db1", "--json"))["log"]
    assert (found["name"], found["content"], found["next"]) == ("error", "one\ntwo\n", 8)
    run("dbctl", "log", "discard", "db1", "slow_query")
    assert run("dbctl", "log", "show", "db1", "slow_query") == ""
    assert run("dbctl", "log", "show", "db1", "error") == "one\ntwo\n"
