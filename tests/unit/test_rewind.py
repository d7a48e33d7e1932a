"""The steps of a restore in place on a directory: whenever they are cut short, data stay."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from coffer.paths import ROLES

FILES = ROLES / "backup/files"
FACTS = '{"snapshot": "ab"}'


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A volume with data and logs that say `old`."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("systemctl", "python3"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    made = tmp_path / "volume"
    for name in ("data", "binlog", ".logs"):
        (made / name).mkdir(parents=True)
        (made / name / "what").write_text("old")
    return made


def step(volume: Path, name: str, argument: str = "", operation: str = "o1") -> Any:
    """Run a step; what it prints."""
    command = ["sh", str(FILES / "rewind.sh"), name, str(volume), operation, argument]
    path = f"{volume.parent}/bin:/usr/bin:/bin"
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": path})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout else None


def keep(volume: Path, *names: str) -> None:
    script = f'. {FILES}/keep.sh; keep "$@"'
    subprocess.run(["sh", "-ec", script, "sh", str(volume), *names], check=True)


def bring(volume: Path) -> None:
    """New data in the place of the old."""
    (volume / "data").mkdir()
    (volume / "data/what").write_text("new")


def what(volume: Path) -> list[str]:
    return [(volume / name / "what").read_text() for name in ("data", "binlog", ".logs")]


@pytest.mark.parametrize("kept", [["data"], ["data", "binlog"], ["data", "binlog", ".logs"]])
@pytest.mark.parametrize("brought", [False, True])
def test_what_was_there_comes_back(volume: Path, kept: list[str], brought: bool) -> None:
    assert step(volume, "begin", "1") == {"done": False, "backup": None}
    step(volume, "quiet", FACTS)
    assert step(volume, "look") == {"before": False, "backup": json.loads(FACTS)}
    keep(volume, *kept)
    if brought:
        bring(volume)
    assert step(volume, "look")["before"]
    step(volume, "back")
    assert what(volume) == ["old"] * 3
    assert not step(volume, "look")["before"]
    # the next attempt has the safety backup of the one that died
    assert step(volume, "begin", "1") == {"done": False, "backup": json.loads(FACTS)}
    assert step(volume, "begin", "1", operation="o2")["backup"] is None


def test_what_is_done_stays_done(volume: Path) -> None:
    step(volume, "begin", "1")
    step(volume, "quiet", FACTS)
    keep(volume, "data", "binlog", ".logs")
    bring(volume)
    step(volume, "commit")
    for _ in range(2):
        assert not step(volume, "look")["before"]
        assert step(volume, "begin", "1") == {"done": True, "backup": json.loads(FACTS)}
        assert (volume / "data/what").read_text() == "new"
    assert sorted(path.name for path in volume.iterdir()) == [".rewind-o1.json", ".rewound", "data"]


def test_an_end_that_was_cut_short_is_an_end(volume: Path) -> None:
    keep(volume, "data")
    bring(volume)
    (volume / ".before").rename(volume / ".gone-o1")
    assert step(volume, "begin", "1")["done"]
    assert not step(volume, "begin", "1", operation="o2")["done"]
    assert (volume / "data/what").read_text() == "new"


def test_no_room_is_a_reason(volume: Path) -> None:
    with pytest.raises(AssertionError, match="grow the volume"):
        step(volume, "begin", str(1 << 60))
