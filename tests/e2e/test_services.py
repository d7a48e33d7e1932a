"""kill -9 of the services and of what runs in a guest: nothing is lost, nothing is stuck."""

import json
import time

from redis import Redis

from tests.e2e.guest import Guest
from tests.e2e.host import RUN
from tests.e2e.installation import Installation
from tests.e2e.processes import attempt_at, kill_service, moments
from tests.e2e.waiting import at_once, wait_for

SERVICES = ("redis", "api", "conductor", "sweeper", "cron")
WORKERS = 3


def test_killed_services_lose_no_operation(coffer: Installation) -> None:
    # given operations that run and operations that wait for a worker
    made = [coffer.begin(f"service-{number}") for number in range(WORKERS + 1)]
    states = wait_for(
        "operations queued and running",
        lambda: len(found := states_of(coffer, made)) == 2 and found,
    )
    assert states == {"running", "queued"}

    # when Redis (with all that it holds) and the other services are killed
    for service, pause in zip(SERVICES, moments("services", len(SERVICES), 2), strict=True):
        time.sleep(pause)
        kill_service(coffer, service)

    # then all operations end well
    ends = at_once(lambda pair: coffer.ended(pair[1], timeout=240), made)
    assert [row["state"] for row in ends] == ["succeeded"] * len(made), ends
    at_once(lambda pair: coffer.healthy(pair[0]), made)
    assert not list((RUN / "operations").iterdir())


def states_of(coffer: Installation, made: list[tuple[str, str]]) -> set[str]:
    return {coffer.api.operation(operation)["state"] for _key, operation in made}


def test_redis_away_while_asked(coffer: Installation, shared: Guest) -> None:
    # given a Redis that is down, when something is asked for
    coffer.supervisorctl("stop", "redis")
    try:
        asked = coffer.ask("instance", "restart", shared.name, "--no-wait")["operation"]
    finally:
        coffer.supervisorctl("start", "redis")

    # then the answer is given at once, and the work is done once Redis is back
    assert asked["state"] == "queued"
    assert coffer.ended(asked["id"])["state"] == "succeeded"


def test_restart_of_workers_lets_operations_end(coffer: Installation) -> None:
    # given an operation in the middle, when all workers are restarted
    _key, operation = coffer.begin("warm")
    attempt_at(coffer, operation)
    coffer.supervisorctl("restart", "worker:*", "fast:*")

    # then it ends in its first attempt, and the new workers work
    ended = coffer.ended(operation)
    assert (ended["state"], ended["attempt"]) == ("succeeded", 1)


def test_killed_agent_comes_back(coffer: Installation, shared: Guest) -> None:
    # given an agent that reports, when it is killed
    pid = shared.shell("systemctl show --property MainPID --value coffer-agent").stdout
    reported = last_report(coffer, shared)
    shared.shell("systemctl kill --signal KILL coffer-agent")

    # then systemd starts it again and reports go on
    wait_for(
        "a new agent",
        lambda: (
            shared.shell("systemctl show --property MainPID --value coffer-agent").stdout
            not in (pid, "0\n")
        ),
    )
    wait_for("a new report", lambda: last_report(coffer, shared) > reported, timeout=30)


def last_report(coffer: Installation, guest: Guest) -> int:
    """Sequence number of the last report, from Redis."""
    text = Redis(unix_socket_path=f"{RUN}/redis.sock").get(f"coffer:guests:report:{guest.id}")
    return json.loads(text)["sequence"] if text else 0


def test_killed_engine_is_seen_and_comes_back(coffer: Installation, shared: Guest) -> None:
    # given an engine that systemd does not start at once, when it is killed
    shared.shell("mkdir -p /run/systemd/system/mysql.service.d")
    shared.shell("printf '[Service]\\nRestartSec=4\\n' >/run/systemd/system/mysql.service.d/e.conf")
    shared.shell("systemctl daemon-reload && systemctl kill --signal KILL mysql")

    # then the agent tells so at once, and tells that it is back
    wait_for(
        "a report that the engine is down",
        lambda: coffer.api.instance(shared.id)["operating_status"] in ("SHUTDOWN", "FAILED"),
        timeout=10,
    )
    assert coffer.healthy(shared.id)
    assert shared.query("SELECT 1") == (1,)
    shared.shell("rm -r /run/systemd/system/mysql.service.d && systemctl daemon-reload")
