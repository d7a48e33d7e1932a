"""Logs of a real instance: switched, read, followed, by dbctl and by Trove's own client."""

import json
import signal
import subprocess

from tests.e2e.guest import Guest
from tests.e2e.host import NAME, STATE
from tests.e2e.installation import Installation
from tests.e2e.test_trove_clients import command
from tests.e2e.waiting import wait_for


def test_logs_are_switched_read_and_followed(coffer: Installation, shared: Guest) -> None:
    names = [row["name"] for row in coffer.ask("log", "list", shared.id)["logs"]]
    assert names == ["error", "slow_query", "general"]
    assert "ready for connections" in coffer.dbctl("logs", shared.id).stdout
    assert coffer.dbctl("logs", shared.id, "--log", "general", check=False).returncode == 2
    command(coffer, f"log set {shared.id} general --enable")
    shared.query("SELECT 'a statement to look for'")
    said = coffer.dbctl("logs", shared.id, "--log", "gen", "-n", "200").stdout
    assert said.count("a statement to look for") == 1
    shown = json.loads(command(coffer, f"log show {shared.id} general -f json"))
    assert (shown["status"], shown["type"]) == ("Published", "USER")
    with _following(coffer, shared) as follower:
        assert follower.stdout is not None
        shared.query("SELECT 'one that comes later'")
        wait_for("the line", lambda: "one that comes later" in follower.stdout.readline())
        follower.send_signal(signal.SIGINT)
        assert follower.wait(30) == 130
    for path in STATE.glob(f"{NAME}.db*"):
        assert b"to look for" not in path.read_bytes(), "it is kept encrypted"
    kept = coffer.dbctl("log", "show", shared.id, "general").stdout
    assert kept.count("one that comes later") == 1
    coffer.dbctl("log", "disable", shared.id, "general")
    coffer.dbctl("log", "discard", shared.id, "general")
    assert coffer.dbctl("log", "show", shared.id, "general").stdout == ""
    row = json.loads(command(coffer, f"log show {shared.id} general -f json"))
    assert (row["status"], row["published"]) == ("Disabled", 0)


def _following(coffer: Installation, shared: Guest) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [str(coffer.program("dbctl")), "logs", shared.id, "--log", "general", "-f"],
        env=coffer.environment(),
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
    )
