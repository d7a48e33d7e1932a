"""What every engine's role promises, on real guests. An engine is a data file: engine_*.yml."""

import base64
import gzip
import json
import re
import shlex
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from coffer.paths import ROLES
from tests.roles.engine_clients import RefusedError
from tests.roles.engine_fixtures import *  # noqa: F403 - fixtures are found by name
from tests.roles.engine_fixtures import Made
from tests.roles.engine_site import CHAIN, Guest, Site
from tests.roles.provider import Outcome

pytestmark = pytest.mark.guests

UNDER_TEST = [*CHAIN, "parameters", "status", "main", "guest_agent/main"]
PWNED = Path("/tmp/coffer-pwned")
RESIDENT = "awk '/VmRSS/ {print $2}' /proc/$(systemctl show -P MainPID coffer-agent)/status"


def tasks_run(outcome: Outcome) -> list[str]:
    """Names of the tasks that did something in the guest."""
    report = json.loads(outcome.output[outcome.output.find("{\n") :])
    here = {f"ansible.builtin.{name}" for name in ("include_role", "assert")}
    here.add("ansible.builtin.validate_argument_spec")
    return [
        task["task"]["name"]
        for play in report["plays"]
        for task in play["tasks"]
        for result in task["hosts"].values()
        if not result.get("skipped") and result.get("action") not in here
    ]


def name_of(thing: dict[str, Any]) -> str:
    return str(thing["name"])


def wanted_users(data: dict[str, Any]) -> list[dict[str, Any]]:
    users = [
        {
            "name": user["name"],
            "host": user.get("host", "%"),
            "databases": sorted(user["databases"], key=name_of),
        }
        for user in data["users"]
    ]
    return sorted(users, key=name_of)


def by_name(things: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ordered = [
        {**thing, "databases": sorted(thing["databases"], key=name_of)}
        if "databases" in thing
        else thing
        for thing in things
    ]
    return sorted(ordered, key=name_of)


def test_a_stock_guest_becomes_an_instance(stock: Guest) -> None:
    first = stock.chain()
    assert first.code == 0, first.output
    assert first.facts["engine"] == {"version": stock.engine.version["version"]}
    again = stock.chain()
    assert (again.code, again.changed) == (0, 0), again.output


def test_the_chain_leaves_what_it_made(made: Made) -> None:
    data = made.guest.engine.data
    names = [{"name": database["name"]} for database in data["databases"]]
    assert made.outcome.facts["engine"] == {"version": made.guest.engine.version["version"]}
    assert by_name(made.outcome.facts["databases"]) == by_name(names)
    assert by_name(made.outcome.facts["users"]) == by_name(wanted_users(data))


@pytest.mark.parametrize("entry", UNDER_TEST)
def test_a_second_run_changes_nothing(made: Made, entry: str) -> None:
    data = made.guest.engine.data
    asked = {f"coffer_{kind}": data[kind] for kind in ("databases", "users")}
    done = made.guest.run(entry, **asked, coffer_guest_token=made.guest.token)
    assert (done.code, done.changed) == (0, 0), done.output


def test_a_dry_run_says_that_nothing_would_change(made: Made) -> None:
    done = made.guest.run("main", "guest_agent/main", check=True)
    assert (done.code, done.changed) == (0, 0), done.output


def test_without_secrets_nothing_is_touched(made: Made) -> None:
    done = made.guest.run("databases", "users")
    assert done.code == 0, done.output
    assert tasks_run(done) == []
    done = made.guest.run("guest_agent/main")
    assert (done.code, done.changed) == (0, 0), done.output


@pytest.mark.parametrize("index", range(3))
def test_users_log_in_and_see_their_own(made: Made, site: Site, index: int) -> None:
    user = made.guest.engine.data["users"][index]
    found = made.client.databases(
        made.guest.address, user["name"], user["password"], site.authority.certificate_path
    )
    assert found == {database["name"] for database in user["databases"]}
    assert not PWNED.exists()


@pytest.mark.parametrize("prove", ["address", "id"])
def test_the_certificate_proves_the_instance(made: Made, site: Site, prove: str) -> None:
    name = {"address": made.guest.address, "id": made.guest.instance.id}[prove]
    user = made.guest.engine.data["users"][0]
    ca = site.authority.certificate_path
    assert made.client.databases(made.guest.address, user["name"], user["password"], ca, name)


@pytest.mark.parametrize("flaw", ["plain", "name", "password", "user"])
def test_what_is_not_right_is_refused(made: Made, site: Site, flaw: str) -> None:
    user = made.guest.engine.data["users"][0]
    good: dict[str, Any] = {
        "user": user["name"],
        "password": user["password"],
        "ca": site.authority.certificate_path,
    }
    wrong: dict[str, dict[str, Any]] = {
        "plain": {"ca": None},
        "name": {"name": "other.example"},
        "password": {"password": "wrong"},
        "user": {"user": "root", "password": ""},
    }
    with pytest.raises(RefusedError):
        made.client.databases(made.guest.address, **{**good, **wrong[flaw]})


def test_it_is_as_secure_and_set_as_it_should_be(made: Made) -> None:
    truths = made.guest.engine.data["truths"]
    assert shown(made.guest, truths) == truths


def test_all_data_is_on_the_volume(made: Made) -> None:
    directory = made.guest.engine.catalogue["data_directory"]
    for path in made.guest.engine.data["paths"]:
        assert made.guest.shell(f"findmnt -no TARGET --target {path}") == directory


def test_the_agent_reports_what_is_there(made: Made) -> None:
    guest, conductor = made.guest, made.conductor
    seen = len(conductor.reports)
    report = conductor.wait_for(lambda each: each["instance_id"] == guest.instance.id, 15, seen)
    assert report["state"] == "HEALTHY"
    assert report["version"] == guest.engine.version["version"]
    assert f"Bearer {guest.token}" in conductor.tokens
    names = [{"name": database["name"]} for database in guest.engine.data["databases"]]
    assert by_name(report["databases"]) == by_name(names)
    assert by_name(report["users"]) == by_name(wanted_users(guest.engine.data))
    assert 0 < report["volume"]["used"] < report["volume"]["size"] <= 2**30


def test_the_agent_sees_what_is_done_by_hand(made: Made) -> None:
    hand = made.guest.engine.data["by_hand"]
    for command, there in ((hand["create"], True), (hand["remove"], False)):
        made.guest.shell(command)
        seen = len(made.conductor.reports)
        made.conductor.wait_for(
            lambda each, there=there: ({"name": hand["name"]} in each["databases"]) == there,  # type: ignore[misc]
            15,
            seen,
        )


def test_the_agent_comes_back_and_takes_little_memory(made: Made) -> None:
    before = made.guest.shell("systemctl show -P MainPID coffer-agent")
    made.guest.shell("systemctl kill --signal=KILL coffer-agent")
    seen = len(made.conductor.reports)
    made.conductor.wait_for(lambda each: each["state"] == "HEALTHY", 10, seen)
    time.sleep(12)
    assert made.guest.shell("systemctl show -P MainPID coffer-agent") != before
    assert int(made.guest.shell(RESIDENT)) < 20_000


@pytest.mark.parametrize(("how", "state"), [("stop", "SHUTDOWN"), ("kill", "HEALTHY")])
def test_an_engine_that_is_gone_is_reported(made: Made, how: str, state: str) -> None:
    """At once, and so is one that came back by itself."""
    seen = len(made.conductor.reports)
    if how == "stop":
        done = made.guest.run("stop", "stop")  # the second time there is nothing to do
        assert (done.code, done.changed) == (0, 1), done.output
    else:
        made.guest.shell(made.guest.engine.data[how])
    made.conductor.wait_for(lambda each: each["state"] != "HEALTHY", 4, seen)
    seen = len(made.conductor.reports)
    made.conductor.wait_for(lambda each: each["state"] == state, 6, seen)
    seen = len(made.conductor.reports)
    assert made.guest.run("start", "verify").code == 0
    made.conductor.wait_for(lambda each: each["state"] == "HEALTHY", 12, seen)


def test_a_new_token_is_used_at_once(made: Made) -> None:
    made.guest.token = "f" * 32
    done = made.guest.run("guest_agent/main", coffer_guest_token=made.guest.token)
    assert done.code == 0, done.output
    assert made.conductor.tokens[-1] == f"Bearer {made.guest.token}"


def test_accounts_follow_what_is_asked(made: Made, site: Site) -> None:
    for change in made.guest.engine.data["changes"]:
        steps = change.get("steps", ["accounts"])
        # Twice in one run: the second time there is nothing to change.
        done = made.guest.run(*steps, *steps, "secure", **change["asked"])
        assert (done.code, done.changed) == (0, 1), done.output
        where, ca = made.guest.address, site.authority.certificate_path
        for user in change.get("enter", []):
            login = (where, user["name"], user["password"], ca)
            found = made.client.databases(*login, write="sees" in user)
            assert found == set(user.get("sees", user.get("reads", found)))
            if "reads" in user:
                with pytest.raises(RefusedError):
                    made.client.databases(*login)
        for user in change.get("refused", []):
            with pytest.raises(RefusedError):
                made.client.databases(where, user["name"], user["password"], ca)


def test_it_comes_back_with_its_guest(made: Made) -> None:
    compute = f"compute_{made.guest.site.data['provider']}"
    assert made.guest.run(f"{compute}/stop").code == 0
    seen = len(made.conductor.reports)
    assert made.guest.run(f"{compute}/start").code == 0
    made.conductor.wait_for(lambda each: each["state"] == "HEALTHY", 20, seen)
    assert made.guest.run("verify").code == 0


def test_a_name_that_is_reserved_is_refused_with_a_reason(made: Made) -> None:
    reserved = made.guest.engine.catalogue["reserved"]["databases"][0]
    done = made.guest.run("databases", coffer_databases=[{"name": reserved}])
    assert done.code != 0
    assert f"{reserved} is reserved" in done.output


def test_no_password_is_shown(made: Made) -> None:
    for user in made.guest.engine.data["users"]:
        if len(user["password"]) > 3:
            assert json.dumps(user["password"])[1:-1] not in made.outcome.output
    assert made.guest.token not in made.outcome.output


def test_settings_follow_the_flavor(made: Made) -> None:
    data = made.guest.engine.data
    compute = f"compute_{made.guest.site.data['provider']}/resize"
    for flavor, column in ((data["larger"], 2), (data["flavor"], 1)):
        steps = [compute, "configure"] if column == 2 else ["configure", compute]
        done = made.guest.run(*steps, coffer_flavor=flavor)
        assert done.code == 0, done.output
        assert done.changed > 0
        sized = [[line[0], line[column]] for line in data["sized"]]
        assert shown(made.guest, sized) == sized
        assert made.guest.run("configure", coffer_flavor=flavor).changed == 0


def test_parameters_change_what_runs(made: Made) -> None:
    """What can change at once does, also back to where it was; what cannot waits for a restart."""
    guest, pidfile = made.guest, made.guest.engine.catalogue["pidfile"]
    for step in guest.engine.data["parameters"]:
        process, asked = guest.shell(f"cat {pidfile}"), {"coffer_configuration": step["values"]}
        waits = "after_restart" in step
        if step is guest.engine.data["parameters"][0]:
            foreseen = guest.run("parameters", check=True, **asked)
            assert (foreseen.code, foreseen.changed) == (0, 1), foreseen.output
            assert foreseen.facts["restart_required"] == waits
            told = {row["name"] for row in foreseen.facts["settings"]["differences"]}
            assert set(step["values"]) <= told
        # Twice in one run: the second time there is nothing to change, and it says the same.
        done = guest.run("parameters", "parameters", **asked)
        assert (done.code, done.changed) == (0, 1), done.output
        assert done.facts["restart_required"] == waits
        assert shown(guest, step["shows"]) == step["shows"]
        assert guest.shell(f"cat {pidfile}") == process
        if "after_restart" in step:
            again = guest.run("restart", "verify", "parameters", **asked)
            assert again.code == 0, again.output
            assert again.facts["restart_required"] is False
            assert shown(guest, step["after_restart"]) == step["after_restart"]


def test_parameters_that_would_not_do_leave_everything(made: Made) -> None:
    guest = made.guest
    assert guest.run("parameters").code == 0
    lines = [line for step in guest.engine.data["parameters"] for line in step["shows"]]
    before = shown(guest, [*lines, [guest.engine.data["settings"]]])
    for values, message in guest.engine.data["impossible"]:
        done = guest.run("parameters", coffer_configuration=values)
        assert done.code != 0
        assert message in done.output, done.output
        assert shown(guest, before) == before
    assert guest.run("configure").changed == 0


def shown(guest: Guest, lines: list[list[str]]) -> list[list[str]]:
    """The commands of these lines, each with what it prints now; one round to the guest."""
    script = "\n".join(f"{line[0]}\nprintf '\\036'" for line in lines)
    parts = guest.shell(script).split("\x1e")
    return [[line[0], part.strip()] for line, part in zip(lines, parts, strict=False)]


def test_refusals_come_first_and_say_why(made: Made) -> None:
    for variables, message in made.guest.engine.data["refused"]:
        done = made.guest.run("preflight", **variables)
        assert done.code != 0
        assert re.search(re.escape(message), done.output), done.output
        assert tasks_run(done) == []


def test_logs_are_read_from_where_they_were_left(made: Made) -> None:
    guest, data = made.guest, made.guest.engine.data["logs"]
    switch(guest, "enable", data["configuration"])
    for log in guest.engine.catalogue["logs"]:
        what = data[log["name"]]
        do = what.get("do", "true")
        guest.shell(do)
        text, left = reading(guest, log, (0, 0))
        assert what["says"] in text
        # Before and after the log is begun anew, which the server must notice.
        guest.shell(f"{do}; sh /usr/local/lib/coffer/rotate-logs 1 {log['path']}; {do}")
        text, left = reading(guest, log, left)
        assert "do" not in what or text.count(what["says"]) >= 2, text
        assert all(log.get("match", "") in line for line in text.splitlines())
        assert what["says"] not in reading(guest, log, left)[0]
    asked = {key: log[key] for key in ("name", "path", "match") if key in log}
    done = guest.run("guest_log/read", coffer_log=asked)
    assert done.code == 0, done.output
    assert what["says"] in unpacked(done.facts["log"]["content"])
    assert what["says"] not in done.output.replace(json.dumps(done.facts), "")
    switch(guest, "disable")
    for log in guest.engine.catalogue["logs"]:
        if "disable" in log:
            left = reading(guest, log, (0, 0))[1]
            guest.shell(data[log["name"]]["do"])
            assert data[log["name"]]["says"] not in reading(guest, log, left)[0]
    assert guest.run("parameters").code == 0


def switch(guest: Guest, what: str, group: dict[str, Any] | None = None) -> None:
    """Enable or disable all logs that can be, with a configuration group's values."""
    found = [log.get(what, {}) for log in guest.engine.catalogue["logs"]]
    settings = {name: value for each in found for name, value in each.items()}
    asked = {"coffer_log_settings": settings, "coffer_configuration": group or {}}
    done = guest.run("parameters", **asked)
    assert done.code == 0, done.output
    assert done.facts["restart_required"] is False


def reading(
    guest: Guest, log: dict[str, Any], left: tuple[int, int]
) -> tuple[str, tuple[int, int]]:
    """What the role's script reads of a log, and where it would go on."""
    script = (ROLES / "guest_log/files/read.sh").read_text()
    words = [log["path"], *map(str, left), "524288", log.get("match", "")]
    lines = guest.shell(f"sh -s -- {shlex.join(words)} <<'END'\n{script}\nEND").splitlines()
    file, position, _ = map(int, lines[0].split())
    return unpacked(lines[1]), (file, position)


def unpacked(content: str) -> str:
    """The lines that were packed in the guest."""
    return gzip.decompress(base64.b64decode(content)).decode(errors="replace")


def test_restart_gives_a_new_process(made: Made) -> None:
    pidfile = made.guest.engine.catalogue["pidfile"]
    before = made.guest.shell(f"cat {pidfile}")
    assert made.guest.run("restart", "verify").code == 0
    assert made.guest.shell(f"cat {pidfile}") != before


def test_an_initialisation_that_is_killed_can_be_repeated(made: Made) -> None:
    data = made.guest.engine.data
    for _ in range(2):
        made.guest.shell(data["wipe"])
        path = data["initialising"]
        with made.guest.start("configure") as process:
            # Everything in the guest but init is killed, in the middle of it.
            made.guest.shell(f"until [ -e {path} ]; do :; done; kill -9 -1")
            process.send_signal(signal.SIGTERM)
        made.guest.wait_for_shell()
        assert made.guest.shell(f"ls -d {path}") == path
    done = made.guest.chain()
    assert done.code == 0, done.output
    assert made.guest.shell(f"ls -d {path}") == ""
    assert made.guest.chain().changed == 0
