"""Waves of a fleet, and the report of a run."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from coffer import waves
from coffer.errors import BadRequest
from dbctl import junit

FLEET = list(range(8))


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("1,50%,100%", [1, 3, 4]),
        ("1,10%,50%,100%", [1, 3, 4]),
        ("100%", [8]),
        ("2", [2, 6]),
        ("99", [8]),
    ],
)
def test_waves(text: str, sizes: list[int]) -> None:
    found = waves.split(FLEET, text)
    assert [len(wave) for wave in found] == sizes
    assert [each for wave in found for each in wave] == FLEET


@pytest.mark.parametrize("text", ["", "0", "x", "50%,1", "101%", "-1", "1,,2"])
def test_bad_waves(text: str) -> None:
    with pytest.raises(BadRequest, match="waves"):
        waves.split(FLEET, text)


def test_junit(tmp_path: Path) -> None:
    rows = [
        {"instance": "a", "seconds": 1.5, "state": "done", "problem": ""},
        {"instance": "b<", "seconds": 2.0, "state": "failed", "problem": "at 'x': \"y\""},
        {"instance": "c", "seconds": 0.0, "state": "skipped", "problem": "earlier"},
    ]
    junit.write(str(tmp_path / "r.xml"), "suite", rows)
    suite = ElementTree.parse(tmp_path / "r.xml").getroot()  # noqa: S314 written above
    assert suite.attrib == {"name": "suite", "tests": "3", "failures": "1", "skipped": "1"}
    assert [case.get("name") for case in suite] == ["a", "b<", "c"]
    assert [child.tag for case in suite for child in case] == ["failure", "skipped"]
