"""Trove's own clients on a real instance: who may connect, restart, reboot, resize."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import openstack
import pymysql
import pytest

from tests.clients.service import clean
from tests.e2e.guest import Guest
from tests.e2e.host import SUBNET
from tests.e2e.installation import Installation
from tests.e2e.waiting import wait_for


def command(coffer: Installation, line: str) -> str:
    """Run `openstack database …` from PyPI as the administrator."""
    login = [f"--os-endpoint={coffer.api.url}", f"--os-token={coffer.api.token}"]
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("openstack")),
            *("--os-auth-type=admin_token", *login, "database", *line.split()),
        ],
        env=clean(os.environ),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def settled(coffer: Installation, instance: str) -> None:
    """Until the operation that was asked for last has ended well."""
    operation = coffer.newest_operation(instance)
    ended = coffer.ended(operation["id"])
    assert ended["state"] == "succeeded", ended
    coffer.healthy(instance)


def test_openstackclient_changes_who_may_connect(coffer: Installation, shared: Guest) -> None:
    gateway = f"{SUBNET}.1"  # this host, as the instance sees it
    command(coffer, f"instance update {shared.id} --allowed-cidr 192.0.2.0/24")
    settled(coffer, shared.id)
    with pytest.raises(pymysql.err.OperationalError):
        shared.query("SELECT 1")
    command(coffer, f"instance update {shared.id} --allowed-cidr {gateway}/32")
    settled(coffer, shared.id)
    assert shared.query("SELECT 1") == (1,)
    command(coffer, f"instance reboot {shared.id}")
    settled(coffer, shared.id)
    assert shared.query("SELECT 1") == (1,)
    answer = coffer.api.send(
        "PUT", f"/instances/{shared.id}", {"instance": {"access": {"allowed_cidrs": []}}}
    )
    coffer.ended(answer.operation)
    assert coffer.api.instance(shared.id)["access"]["allowed_cidrs"] == []


def test_the_agent_tells_what_it_takes(coffer: Installation, shared: Guest) -> None:
    told = coffer.api.get(f"/mgmt/instances/{shared.id}/diagnostics")["diagnostics"]
    assert told["version"]
    assert 0 < told["vmRss"] < 32 * 1024  # kB


def test_openstacksdk_restarts_and_resizes(coffer: Installation, shared: Guest) -> None:
    database = connect(coffer).database
    instance = database.get_instance(shared.id)
    size = instance.volume["size"] + 1
    instance.restart(database)
    settled(coffer, shared.id)
    instance.resize_volume(database, size)
    settled(coffer, shared.id)
    assert database.get_instance(shared.id).volume["size"] == size
    database.create_database(instance, name="sdk")
    wait_for("the database", lambda: "sdk" in [row.name for row in database.databases(instance)])
    database.create_user(instance, name="sdk", password="Sdk-Password-1")
    wait_for("the user", lambda: "sdk" in [row.name for row in database.users(instance)])
    database.delete_user("sdk", instance=instance)
    wait_for("no user", lambda: "sdk" not in [row.name for row in database.users(instance)])
    database.delete_database("sdk", instance=instance)
    settled(coffer, shared.id)


def test_an_administrator_stops_the_engine_and_a_restart_starts_it(
    coffer: Installation, shared: Guest
) -> None:
    answer = coffer.api.send("POST", f"/mgmt/instances/{shared.id}/action", {"stop": {}})
    assert answer.status == 202
    assert coffer.ended(answer.operation)["state"] == "succeeded"
    shown = wait_for(
        "what the guest says of it",
        lambda: (row := coffer.api.instance(shared.id))["status"] == "SHUTDOWN" and row,
    )
    assert shown["operating_status"] == "SHUTDOWN"
    assert "instance_stop" not in str(shown.get("fault"))
    with pytest.raises(pymysql.err.OperationalError):
        shared.query("SELECT 1")
    command(coffer, f"instance restart {shared.id}")
    settled(coffer, shared.id)
    assert shared.query("SELECT 1") == (1,)


def connect(coffer: Installation) -> Any:
    """openstacksdk with the administrator's token."""
    return openstack.connect(
        load_yaml_config=False,
        load_envvars=False,
        auth_type="admin_token",
        auth={"endpoint": coffer.api.url, "token": coffer.api.token},
        database_endpoint_override=coffer.api.url,
    )
