"""Worker processes end when they are told to, whatever Redis does."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from redis import Redis
from rq import Worker

REPOSITORY = Path(__file__).parents[2]


def start(folder: Path, role: str) -> "subprocess.Popen[bytes]":
    """A worker process whose Redis listens in `folder`."""
    (folder / "coffer.toml").write_text(
        f'database_url = "sqlite:///{folder}/coffer.db"\n'
        f'redis_url = "unix://{folder}/redis.sock"\n'
        f'run_directory = "{folder}/run"\n'
    )
    told = {**os.environ, "COFFER_SETTINGS": str(folder / "coffer.toml")}
    return subprocess.Popen([sys.executable, "-m", "worker.main", role], cwd=REPOSITORY, env=told)


@pytest.mark.parametrize("role", ["work", "sweep", "cron"])
def test_it_stops_when_redis_was_never_there(tmp_path: Path, role: str) -> None:
    worker = start(tmp_path, role)
    time.sleep(3)
    assert worker.poll() is None
    worker.send_signal(signal.SIGTERM)
    worker.wait(15)


def test_it_stops_when_redis_has_gone(tmp_path: Path, redis: Redis) -> None:
    worker = start(tmp_path, "work")
    while not Worker.count(connection=redis):
        assert worker.poll() is None
        time.sleep(0.1)
    redis.shutdown(nosave=True)
    time.sleep(1)
    worker.send_signal(signal.SIGTERM)
    worker.wait(30)
