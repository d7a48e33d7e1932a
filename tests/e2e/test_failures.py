"""What goes wrong is told with its reason, is undone, and can be mended."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.guest import Guest
from tests.e2e.host import CONFIG, snapshot_of_host
from tests.e2e.installation import Installation
from tests.e2e.waiting import wait_for

SETTINGS = CONFIG / "coffer.toml"


@contextmanager
def changed(file: Path, text: str) -> Iterator[None]:
    """A file with other contents for a while; owner and mode stay."""
    kept = file.read_text()
    file.write_text(text)
    try:
        yield
    finally:
        file.write_text(kept)


def test_failed_creation_tells_why_and_can_be_retried(coffer: Installation, shared: Guest) -> None:
    # given a site's setting that the engine does not take
    before = snapshot_of_host()
    wish = ["mysql", "failing", "--flavor", "small", "--volume", "1", "--user", "app"]
    with changed(SETTINGS, SETTINGS.read_text() + 'engine_mysql_max_connections = "many"\n'):
        # when an instance is created
        done = coffer.dbctl("instance", "create", *wish, check=False)

    # then dbctl names the task, the engine's own words and the next command
    failing = coffer.ask("instance", "show", "failing")["instance"]["id"]
    operation = coffer.newest_operation(failing)
    assert done.returncode == 1
    assert (operation["state"], operation["actions"]) == ("failed", ["retry"])
    assert operation["failing_task"] in done.stderr
    assert "many" in operation["reason"]
    assert operation["reason"].splitlines()[0].strip() in done.stderr
    assert f"dbctl operation retry {operation['id']}" in done.stderr

    # and it is undone, and the instance tells so
    assert snapshot_of_host() == before
    row = coffer.api.instance(operation["instance_id"])
    assert row["status"] == "ERROR"
    assert "instance_create failed" in row["fault"]["message"]

    # when the setting is mended, then the retry succeeds with the password that was told
    coffer.dbctl("operation", "retry", operation["id"])
    password = next(line.split()[-1] for line in done.stdout.splitlines() if "password" in line)
    guest = Guest(operation["instance_id"], "failing", password, coffer.ca_file())
    assert guest.query("SELECT 1") == (1,)


def test_failed_restart_leaves_the_instance(coffer: Installation, shared: Guest) -> None:
    # given a guest whose engine cannot start, when it is restarted
    shared.shell("mv /etc/mysql/coffer.cnf /etc/mysql/away.cnf")
    done = coffer.dbctl("instance", "restart", shared.name, check=False)

    # then the operation failed, and the instance stays, with a fault
    assert done.returncode == 1
    row = coffer.api.instance(shared.id)
    assert row["status"] in ("ACTIVE", "SHUTDOWN")  # as soon as the agent says so
    assert "instance_restart failed" in row["fault"]["message"]
    wait_for(
        "the agent's word for it",
        lambda: coffer.api.instance(shared.id)["operating_status"] in ("SHUTDOWN", "FAILED"),
    )

    # when it is mended, then a restart brings the engine back
    shared.shell("mv /etc/mysql/away.cnf /etc/mysql/coffer.cnf")
    coffer.dbctl("instance", "restart", shared.name)
    assert coffer.healthy(shared.id)


def test_silent_guest_is_told_and_comes_back(coffer: Installation, shared: Guest) -> None:
    # given a sweeper that bears five seconds of silence, when a guest is silent
    with changed(SETTINGS, "silent_after = 5\n" + SETTINGS.read_text()):
        coffer.supervisorctl("restart", "sweeper")
        shared.shell("systemctl kill --kill-who all --signal STOP coffer-agent")

        # then its status is ERROR
        wait_for("status ERROR", lambda: coffer.api.instance(shared.id)["status"] == "ERROR")
        refused = coffer.dbctl("instance", "restart", shared.name, check=False)
        assert (refused.returncode, "silent" in refused.stderr) == (1, True)
    coffer.supervisorctl("restart", "sweeper")

    # when it speaks again, then all is well without anybody's doing
    shared.shell("systemctl kill --kill-who all --signal CONT coffer-agent")
    assert coffer.healthy(shared.id)
