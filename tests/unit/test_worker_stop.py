"""Worker processes end when they are told to, whatever Redis does."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis
from rq import Worker

REPOSITORY = Path(__file__).parents[2]


@contextmanager
def started(folder: Path, role: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker process whose Redis listens in `folder`."""
    (folder / "coffer.toml").write_text(
        f'database_url = "sqlite:///{folder}/coffer.db"\n'
        f'redis_url = "unix://{folder}/redis.sock"\n'
        f'run_directory = "{folder}/run"\n'
    )
    told = {**os.environ, "COFFER_SETTINGS": str(folder / "coffer.toml")}
    command = [sys.executable, "-m", "worker.main", role]
    worker = subprocess.Popen(command, cwd=REPOSITORY, env=told)
    try:
        yield worker
    finally:
        worker.kill()


@pytest.mark.parametrize("role", ["work", "sweep", "cron"])
def test_it_stops_when_redis_was_never_there(tmp_path: Path, role: str) -> None:
    with started(tmp_path, role) as worker:
        time.sleep(3)
        assert worker.poll() is None
        worker.send_signal(signal.SIGTERM)
        worker.wait(15)


@pytest.mark.parametrize("role", ["work", "cron"])
def test_it_stops_when_redis_has_gone(tmp_path: Path, redis: Redis, role: str) -> None:
    with started(tmp_path, role) as worker:
        while not waits(redis):
            assert worker.poll() is None
            time.sleep(0.1)
        redis.shutdown(nosave=True)
        worker.send_signal(signal.SIGTERM)
        worker.wait(60)


def waits(redis: Redis) -> bool:
    """Whether the worker has nothing to do, or the scheduler has asked for its rounds."""
    idle = [each.get_state() for each in Worker.all(connection=redis)] == ["idle"]
    return idle or bool(redis.exists("rq:queue:sweep"))
