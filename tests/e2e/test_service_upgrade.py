"""A newer Coffer takes the place of the one that runs, while an operation is in the middle."""

from tests.e2e.guest import Guest
from tests.e2e.installation import ENVIRONMENT, Installation
from tests.e2e.processes import attempt_at
from tests.e2e.waiting import wait_for

DROP_IN = "/run/systemd/system/mysql.service.d/slow.conf"
SLOW = f"""mkdir -p {DROP_IN.rpartition("/")[0]}
printf '[Service]\\nExecStopPost=/bin/sleep 60\\nTimeoutStopSec=90\\n' >{DROP_IN}
systemctl daemon-reload"""
WORKERS = [f"worker:worker-{number}" for number in range(3)]


def pids(coffer: Installation) -> dict[str, int]:
    return {worker: coffer.pid_of(worker) for worker in WORKERS}


def test_an_operation_ends_well_while_coffer_is_upgraded(
    coffer: Installation, shared: Guest
) -> None:
    # given an operation that takes a minute, and another release in place of the present one
    shared.shell(SLOW)
    operation = coffer.api.send("POST", f"/instances/{shared.id}/action", {"restart": {}}).operation
    attempt_at(coffer, operation)
    before, api = pids(coffer), coffer.pid_of("api")
    record = next(ENVIRONMENT.glob("lib/python*/site-packages/coffer-*.dist-info/RECORD"))
    record.write_text(record.read_text() + "coffer/another-release,,\n")
    # when the services are upgraded, then nobody waits for the operation
    coffer.setup()
    assert coffer.api.operation(operation)["state"] == "running"
    assert coffer.pid_of("api") != api
    # and free workers are new ones at once, which take what is asked for
    assert len([worker for worker, pid in pids(coffer).items() if before[worker] != pid]) >= 2
    made = coffer.create("meanwhile", flavor="tiny")
    coffer.dbctl("instance", "delete", made.id, "--yes")
    # then the operation ends by its first attempt, and then its worker is a new one too
    ended = coffer.ended(operation, timeout=120)
    shared.shell(f"rm {DROP_IN}; systemctl daemon-reload")
    assert (ended["state"], ended["attempt"]) == ("succeeded", 1), ended
    wait_for("the last worker", lambda: not set(before.values()) & set(pids(coffer).values()))
    # and a second run changes nothing
    assert "changed=0" in coffer.setup().stdout
