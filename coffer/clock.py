"""Time as the records hold it: UTC without zone, as Trove's clients expect it."""

from datetime import UTC, datetime


def utcnow() -> datetime:
    """The present moment, UTC, naive."""
    return datetime.now(UTC).replace(tzinfo=None)


def timestamp(moment: datetime) -> str:
    """`YYYY-MM-DDTHH:MM:SS`: no zone, no fraction (gophercloud's parser rejects a zone)."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def timestamp_or_none(moment: datetime | None) -> str | None:
    """Like `timestamp`, None for None."""
    return timestamp(moment) if moment else None


def precise_timestamp(moment: datetime) -> str:
    """`YYYY-MM-DDTHH:MM:SS.mmmZ`, for events that are milliseconds apart."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
