"""The warm Ansible: the same as ansible-playbook, quicker, and gone with its client."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from worker import warmth

PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.shell: "echo $MOOD; {command}"
      register: said
    - ansible.builtin.debug: {{var: said.stdout}}
"""


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("warm")
    server = warmth.start(home)
    deadline = time.monotonic() + 30
    while not list(home.glob("warm/*/socket")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(home.glob("warm/*/socket"))
    yield home
    del os.environ[warmth.VARIABLE]
    server.kill()
    server.wait()


def start(playbook: Path, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["ansible-playbook", "-i", os.devnull, str(playbook)],
        env={**os.environ, "PATH": warmth.search_path(), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def write(path: Path, command: str) -> Path:
    file = path / "play.yml"
    file.write_text(PLAYBOOK.format(command=command))
    return file


def test_a_run_has_its_own_environment_and_code(warm: Path, tmp_path: Path) -> None:
    run = start(write(tmp_path, "true"), MOOD="good")
    out, err = run.communicate(timeout=60)
    assert run.returncode == 0, err
    assert "good" in out
    run = start(write(tmp_path, "false"), MOOD="bad")
    out, _ = run.communicate(timeout=60)
    assert run.returncode == 2, "ansible-playbook's code for failed hosts"


def test_who_kills_the_client_kills_the_run(warm: Path, tmp_path: Path) -> None:
    mark = f"sleep 6{os.getpid()}"
    run = start(write(tmp_path, mark))
    deadline = time.monotonic() + 30
    while not _running(mark) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _running(mark)
    run.send_signal(signal.SIGKILL)
    run.wait()
    while _playing(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _playing(tmp_path)
    for process in _running(mark):
        process.kill()


def test_a_job_that_outlived_its_worker_keeps_its_warm_ansible(warm: Path, tmp_path: Path) -> None:
    # given directories of two dead workers, one of whose warm Ansible still listens
    (mine,) = warm.glob("warm/*")
    served, left = warm / "warm" / "4194305", warm / "warm" / "4194306"
    served.mkdir()
    left.mkdir()
    (served / "socket").symlink_to(mine / "socket")
    # when another worker starts, then it discards the other one alone
    warmth._discard_those_of_the_dead(warm / "warm")
    assert (served.exists(), left.exists(), mine.exists()) == (True, False, True)
    # and the one that was asked works as before
    process = start(write(tmp_path, "true"))
    assert process.wait(60) == 0, process.communicate()


def test_without_a_warm_ansible_the_cold_one_runs(
    warm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Path(os.environ[warmth.VARIABLE])
    program = tmp_path / "ansible-playbook"
    program.write_text((home / "ansible-playbook").read_text().replace("socket'", "nobody'"))
    program.chmod(0o700)
    monkeypatch.setenv(warmth.VARIABLE, str(tmp_path))
    run = start(write(tmp_path, "true"), MOOD="cold")
    out, err = run.communicate(timeout=60)
    assert run.returncode == 0, err
    assert "cold" in out


def _running(command: str) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if " ".join(process.info["cmdline"] or []) == command
    ]


def _playing(folder: Path) -> bool:
    return any(
        any(str(folder) in word for word in process.info["cmdline"] or [])
        for process in psutil.process_iter(["cmdline"])
    )
