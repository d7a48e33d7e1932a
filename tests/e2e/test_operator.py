"""Operators run Ansible in the checkout against the instances of the service."""

import re

from tests.e2e.guest import Guest
from tests.e2e.installation import Done, Installation


def play(coffer: Installation, playbook: str, *arguments: str, check: bool = True) -> Done:
    """An operator's ansible-playbook."""
    return coffer.operator("ansible-playbook", f"playbooks/{playbook}.yml", *arguments, check=check)


def changes(done: Done) -> int:
    """How many tasks changed something."""
    found = re.findall(r"ok=[1-9]\d* +changed=(\d+)", done.stdout)
    assert found, done.stdout
    return sum(int(number) for number in found)


def newest(coffer: Installation, guest: Guest) -> tuple[str, str, str]:
    """Kind, runner and state of the instance's newest operation."""
    query = (
        "SELECT kind, runner, state FROM operation WHERE instance_id = ? "
        "ORDER BY created DESC LIMIT 1"
    )
    return coffer.records(query, guest.id)[0]


def test_inventory(coffer: Installation, shared: Guest) -> None:
    graph = coffer.operator("ansible-inventory", "-i", "coffer.yml", "--graph").stdout
    for group in ("engine_mysql", "version_9_7", "status_active", "provider_local"):
        assert re.search(rf"@{group}:\n(  [|]  .*\n)*?  [|]  [|]--{shared.name}\n", graph), graph


def test_restart_by_hand_is_on_the_record(coffer: Installation, shared: Guest) -> None:
    # when an operator restarts one instance
    pid = shared.shell("systemctl show --property MainPID --value mysql").stdout
    play(coffer, "instance_restart", "--limit", shared.name)

    # then the engine is another process and the record says who did it
    assert shared.shell("systemctl show --property MainPID --value mysql").stdout != pid
    assert newest(coffer, shared) == ("instance_restart", "operator", "succeeded")
    assert coffer.healthy(shared.id)["status"] == "ACTIVE"


def test_failure_by_hand_is_on_the_record(coffer: Installation, shared: Guest) -> None:
    # given a guest whose engine cannot start, when an operator restarts it
    shared.shell("mv /etc/mysql/coffer.cnf /etc/mysql/away.cnf")
    done = play(coffer, "instance_restart", "--limit", shared.name, check=False)
    shared.shell("mv /etc/mysql/away.cnf /etc/mysql/coffer.cnf")

    # then the run fails, the record says so, and nothing keeps the instance
    assert done.returncode != 0
    assert newest(coffer, shared) == ("instance_restart", "operator", "failed")
    assert coffer.api.instance(shared.id)["status"] in ("ACTIVE", "SHUTDOWN")
    play(coffer, "instance_restart", "--limit", shared.name)
    assert coffer.healthy(shared.id)


def test_one_operation_at_a_time(coffer: Installation, shared: Guest) -> None:
    # given an instance that a run by hand has taken
    taken = coffer.ask("operation", "begin", "instance_restart", shared.name)["operation"]
    pid = shared.shell("systemctl show --property MainPID --value mysql").stdout

    # when another one, or a user, wants it, then both are refused and nothing is done
    done = play(coffer, "instance_restart", "--limit", shared.name, check=False)
    assert done.returncode != 0
    assert "busy" in done.stdout + done.stderr
    refused = coffer.dbctl("instance", "restart", shared.name, check=False)
    assert refused.returncode == 1
    assert shared.shell("systemctl show --property MainPID --value mysql").stdout == pid

    # when it has ended, then the instance is free
    coffer.dbctl("operation", "end", taken["id"])
    assert newest(coffer, shared) == ("instance_restart", "operator", "succeeded")
    coffer.dbctl("instance", "restart", shared.name)


def test_creation_again_changes_nothing(coffer: Installation, shared: Guest) -> None:
    # given an instance that runs, when an operator's run would create it, also only to look
    checked = play(coffer, "instance_create", "--limit", shared.name, "--check")
    again = play(coffer, "instance_create", "--limit", shared.name)

    # then there is nothing to change
    assert (changes(checked), changes(again)) == (0, 0), checked.stdout + again.stdout


def test_resize_again_changes_nothing(coffer: Installation, shared: Guest) -> None:
    checked = play(coffer, "instance_resize", "--limit", shared.name, "--check")
    again = play(coffer, "instance_resize", "--limit", shared.name)
    assert (changes(checked), changes(again)) == (0, 0), checked.stdout + again.stdout
    assert newest(coffer, shared) == ("instance_resize", "operator", "succeeded")
