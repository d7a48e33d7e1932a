"""Whatever a probe does, there is a state."""

import time
from pathlib import Path

import pytest

from guest import probe


def said(script: str, timeout: float = 5) -> dict[str, object]:
    return probe.run(["sh", "-c", script], timeout)


def test_fields_that_fit_are_taken() -> None:
    answer = '{"state": "HEALTHY", "version": "9.7.4", "uptime": 3, "databases": [], "users": 7}'
    assert said(f"echo '{answer}'") == {
        "state": "HEALTHY",
        "version": "9.7.4",
        "uptime": 3,
        "databases": [],
    }


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo nonsense; exit 3", "ended with 3 and said: nonsense"),
        ("echo broken >&2; exit 1", "said: broken"),
        ("true", "said: nothing"),
        ("echo []", "named no state"),
        ('echo \'{"state": "FINE"}\'', "named no state"),
        ("printf '\\377\\376'", "ended with 0"),
        ("head -c 9000000 /dev/zero", "more than"),
        ("printf '%0100000d' 0 | tr 0 '['", "ended with 0"),
    ],
)
def test_nonsense_is_a_failure(script: str, message: str) -> None:
    observation = said(script)
    assert observation["state"] == "FAILED"
    assert message in str(observation["message"])
    assert len(str(observation["message"])) <= probe.MAX_MESSAGE


def test_a_probe_that_is_not_there_is_a_failure() -> None:
    assert probe.run(["/nonexistent"], 1)["state"] == "FAILED"


def test_a_message_is_cut() -> None:
    answer = '{"state": "BLOCKED", "message": "\'$(printf %0999d 0)\'"}'
    assert said(f"echo '{answer}'")["message"] == "0" * probe.MAX_MESSAGE


@pytest.mark.parametrize(
    "script",
    [
        "sleep 60",
        "exec >&-; sleep 60",
        "sleep 60 & wait",
        "while :; do echo more; sleep 0.1; done",
        "trap '' TERM HUP INT; while :; do sleep 60; done",
    ],
)
def test_a_probe_that_hangs_is_ended_with_its_children(script: str, tmp_path: Path) -> None:
    begin = time.monotonic()
    observation = said(f"{script}; touch {tmp_path}/after", timeout=0.5)
    assert time.monotonic() - begin < 3
    assert observation["state"] == "BLOCKED"
    time.sleep(0.2)
    assert not list(tmp_path.iterdir())
