"""When maintenance windows open."""

from datetime import datetime

import pytest

from coffer.models import MaintenanceWindow
from coffer.windows import is_open, opening

# 2026-11-25 is a Wednesday.
CASES = [
    (["wed"], "12:00", 60, "2026-11-25 12:30", "2026-11-25 12:00", True),
    (["wed"], "12:00", 60, "2026-11-25 13:00", "2026-12-02 12:00", False),
    (["wed"], "12:00", 60, "2026-11-25 11:59", "2026-11-25 12:00", False),
    (["sat", "sun"], "02:00", 240, "2026-11-25 03:00", "2026-11-28 02:00", False),
    (["sat", "sun"], "02:00", 240, "2026-11-29 05:59", "2026-11-29 02:00", True),
    (["tue"], "23:00", 180, "2026-11-25 01:59", "2026-11-24 23:00", True),
    (["tue"], "23:00", 180, "2026-11-25 02:00", "2026-12-01 23:00", False),
    (["mon"], "00:00", 7 * 1440, "2026-11-29 23:59", "2026-11-23 00:00", True),
    (["wed"], "00:30", 7 * 1440, "2026-11-25 00:10", "2026-11-18 00:30", True),
]


@pytest.mark.parametrize(("days", "start", "minutes", "now", "opens", "is_it"), CASES)
def test_openings(
    days: list[str], start: str, minutes: int, now: str, opens: str, is_it: bool
) -> None:
    window = MaintenanceWindow(days=days, start=start, minutes=minutes)
    moment = datetime.fromisoformat(now)
    assert opening(window, moment) == datetime.fromisoformat(opens)
    assert is_open(window, moment) is is_it
