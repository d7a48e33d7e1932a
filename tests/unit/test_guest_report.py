"""What a report holds, and what numbers it."""

from pathlib import Path

import pytest

from guest import engine
from guest.backoff import LONGEST, Backoff
from guest.config import Config
from guest.report import Reporter
from tests.unit.test_guest_config import GOOD


def test_a_report_tells_what_the_guest_knows(tmp_path: Path) -> None:
    (tmp_path / "pending").write_text("12\n")
    config = Config(
        {**GOOD, "data_directory": str(tmp_path), "pending_packages_file": f"{tmp_path}/pending"}
    )
    report = Reporter(config).report({"state": "HEALTHY", "version": "9.7.4"})
    assert report["protocol"] == 1
    assert report["instance_id"] == "one"
    assert (report["state"], report["version"], report["uptime"]) == ("HEALTHY", "9.7.4", None)
    assert 0 < report["volume"]["used"] < report["volume"]["size"]
    assert report["pending_packages"] == 12
    assert report["boot_id"]
    told = report["diagnostics"]
    assert set(told) == {"threads", "fdSize", "vmSize", "vmPeak", "vmRss", "vmHwm"}
    assert 0 < told["vmRss"] <= told["vmHwm"]


@pytest.mark.parametrize("text", ["", "many", "-1", "1.5", "²"])
def test_pending_packages_are_a_number_or_unknown(tmp_path: Path, text: str) -> None:
    (tmp_path / "pending").write_text(text)
    paths = {"data_directory": f"{tmp_path}/none", "pending_packages_file": f"{tmp_path}/pending"}
    config = Config({**GOOD, **paths})
    report = Reporter(config).report({"state": "HEALTHY"})
    assert report["pending_packages"] is None
    assert report["volume"] is None  # no such directory here


def test_newer_reports_have_higher_numbers_though_the_clock_is_set_back() -> None:
    clock = iter([5_000_000_000, 1_000_000_000, 9_000_000_000])
    reporter = Reporter(Config(GOOD), lambda: next(clock))
    reports = [reporter.report({"state": "HEALTHY"}) for _ in range(3)]
    assert [report["sequence"] for report in reports] == [5_000_000_000, 5_000_000_001, 9 * 10**9]
    assert [report["at"] for report in reports] == [5.0, 1.0, 9.0]


def test_a_process_is_told_by_number_and_start(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text("17\n")
    (tmp_path / "17").mkdir()
    assert engine.identity(f"{tmp_path}/pid", str(tmp_path)) is None
    fields = " ".join(str(number) for number in range(3, 53))
    (tmp_path / "17" / "stat").write_text(f"17 (a (strange) name) {fields}\n")
    assert engine.identity(f"{tmp_path}/pid", str(tmp_path)) == ("17", "22")


@pytest.mark.parametrize("text", ["", "x", "../1", "-1"])
def test_a_broken_pid_file_is_no_process(tmp_path: Path, text: str) -> None:
    (tmp_path / "pid").write_text(text)
    assert engine.identity(f"{tmp_path}/pid") is None
    assert engine.identity(f"{tmp_path}/absent") is None


def test_waiting_grows_to_half_a_minute_and_begins_anew() -> None:
    backoff = Backoff(lambda: 1.0)
    assert [backoff.failed() for _ in range(7)] == [1, 2, 4, 8, 16, LONGEST, LONGEST]
    backoff.reset()
    assert backoff.failed() == 1
    assert Backoff(lambda: 0.0).failed() == 0.5
