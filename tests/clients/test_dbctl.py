"""dbctl's commands about quotas, the audit and other clients, against a served API."""

import json
import os
import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from coffer.clock import utcnow
from tests.clients.service import BIN, REPOSITORY, Service, clean


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


def test_schedules(run: Any) -> None:
    assert "daily=7,weekly=4" in run("dbctl", "schedule", "set", "daily")
    run("dbctl", "schedule", "set", "*/30 * * * *", "--keep", "last=4,monthly=2")
    shown = json.loads(run("dbctl", "schedule", "show", "--json"))["backup_schedule"]
    assert (shown["cron"], shown["keep"]) == ("*/30 * * * *", {"last": 4, "monthly": 2})
    assert "(default)" in run("dbctl", "schedule", "list")
    run("dbctl", "schedule", "remove", "--yes")
    assert json.loads(run("dbctl", "schedule", "list", "--json"))["backup_schedules"] == []


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


def test_patches(run: Any, tmp_path: Path) -> None:
    for name in ("p1", "p2", "p3"):
        run("dbctl", "instance", "create", "mysql", name, "--flavor", "small", "--volume", "1")
    which = ("--selector", "engine=mysql,name=p?")
    # a plan, in a table and in a file
    assert run("dbctl", "patch", "plan", *which).count("libc6") == 3
    run("dbctl", "patch", "plan", "p1", "--json", "plan.json")
    assert json.loads((tmp_path / "plan.json").read_text())["changes"][0]["instance"] == "p1"
    # a run, with both reports and the table
    wish = ("--wave", "1,50%,100%", "--canary", "p3", "--no-backup", "--wait")
    files = ("--junit", "report.xml", "--json", "report.json")
    told = run("dbctl", "patch", "apply", *which, *wish, *files)
    assert told.splitlines()[0].startswith("INSTANCE")
    report = json.loads((tmp_path / "report.json").read_text())["patch"]
    assert [(row["instance"], row["wave"]) for row in report["instances"]] == [
        ("p3", 1),
        ("p1", 2),
        ("p2", 3),
    ]
    assert report["state"] == "done"
    assert (tmp_path / "report.xml").read_text().count("<testcase") == 3
    # what there is of it afterwards
    assert report["id"] in run("dbctl", "patch", "list")
    shown = json.loads(run("dbctl", "patch", "show", report["id"][:8], "--json"))["patch"]
    assert shown["instances"] == report["instances"]
    assert "nothing to abort" in run("dbctl", "patch", "abort", report["id"], code=1)
    assert "nothing to resume" in run("dbctl", "patch", "resume", report["id"], code=1)


@pytest.mark.parametrize(
    "wrong",
    [
        ("nothing-of-that-name",),
        ("--engine", "oracle"),
        ("--selector", "colour=red"),
        ("--selector", "red"),
        ("db1", "--engine", "mysql"),
        ("--engine", "mysql", "--wave", "0"),
        ("--engine", "mysql", "--json", "db1"),
        (),
    ],
)
def test_patches_of_nothing_have_their_own_status(run: Any, wrong: tuple[str, ...]) -> None:
    run("dbctl", "patch", "apply", *wrong, code=2)


def test_windows(run: Any) -> None:
    run("dbctl", "instance", "create", "mysql", "w1", "--flavor", "small", "--volume", "1")
    # given a window that is closed: it opens in 12 hours
    later = utcnow() + timedelta(hours=12)
    day, hour = f"{later:%a}".lower(), f"{later:%H}:00"
    assert f"from {later:%Y-%m-%d %H}" in run("dbctl", "window", "set", day, hour, "1h")
    assert "(default)" in run("dbctl", "window", "list")
    # then a run waits for it, which has a status of its own, until it is overridden
    told = run("dbctl", "patch", "apply", "w1", "--no-backup", code=3)
    assert f"w1 waits for its maintenance window, from {later:%Y-%m-%dT%H}" in told
    (waiting,) = json.loads(run("dbctl", "patch", "list", "--json"))["patches"][:1]
    assert waiting["state"] == "waiting"
    assert "in the patch run" in run("dbctl", "patch", "apply", "w1", code=3)
    assert "done" in run("dbctl", "patch", "resume", waiting["id"], "--force")
    forced = json.loads(run("dbctl", "patch", "apply", "w1", "--no-backup", "--force", "--json"))
    assert (forced["patch"]["force"], forced["patch"]["state"]) == (True, "done")
    # an instance may have one of its own
    run("dbctl", "window", "set", "mon,tue,wed,thu,fri,sat,sun", "00:00", "24h", "w1")
    assert "done" in run("dbctl", "patch", "apply", "w1", "--no-backup")
    run("dbctl", "window", "remove", "w1", "--yes")
    run("dbctl", "window", "remove", "--yes")
    assert json.loads(run("dbctl", "window", "list", "--json"))["maintenance_windows"] == []


@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_workflows_of_ci(run: Any, service: Service, tmp_path: Path, name: str) -> None:
    """Their commands, with a token that may only patch."""
    made = f"ci-{name}"
    run("dbctl", "instance", "create", "mysql", made, "--flavor", "small", "--volume", "1")
    text = (REPOSITORY / f"docs/ci/{name}.yml").read_text()
    assert yaml.safe_load(text)["jobs" if name == "github" else "patch"]
    commands = re.findall(r"- (?:run: )?(dbctl .*)", text)
    assert len(commands) == 2
    token = service.token("patcher")
    for command in commands:
        run("env", f"COFFER_TOKEN={token}", "bash", "-euo", "pipefail", "-c", command)
    report = json.loads((tmp_path / "report.json").read_text())["patch"]
    assert made in {row["instance"] for row in report["instances"]}
    assert report["state"] == "done"
    assert (tmp_path / "report.xml").exists()
