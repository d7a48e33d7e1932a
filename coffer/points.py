"""Points in time: to which moments an instance can be brought back, and from what.

A backup of files that was taken while a chain of logs was being sent can be carried on to any
second up to the chain's end. Logs without a gap are one chain; a restore in place, or logs that
were lost, begin another one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from coffer.backup_ends import COMPLETED
from coffer.clock import timestamp
from coffer.errors import BadRequest
from coffer.models import Backup, Repository

LATEST = "latest"
KEPT_CHAINS = 50
"""Chains of a repository that are remembered; the oldest are forgotten first."""


@dataclass(frozen=True)
class Span:
    """Seconds that a chain's logs and the backups before them can bring back."""

    earliest: int
    latest: int
    chain: str
    backups: tuple[Backup, ...]
    """Those that the chain carries on from, the oldest first."""

    def __str__(self) -> str:
        return f"{timestamp(moment(self.earliest))}Z to {timestamp(moment(self.latest))}Z"


@dataclass(frozen=True, kw_only=True)
class Point:
    """Where a restore begins and ends."""

    backup: Backup
    chain: str
    to: int | None
    """Unix seconds: what was committed then or later stays out. None takes all that there is."""

    @property
    def variables(self) -> dict[str, Any]:
        """What a playbook needs to know of it."""
        return {"chain": self.chain, "at": self.backup.details["at"], "to": self.to}


def moment(seconds: float) -> datetime:
    """Unix seconds as the records keep times."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def note_chains(told: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Remember how far guests say that their logs were sent; what is older than known is not news.

    Each has its repository, and `chain`, and `since` and `until` in unix seconds. Runs inside the
    caller's transaction.
    """
    known = Repository.select(Repository.id, Repository.chains)
    for repository in known.where(Repository.id.in_([key for key, _ in told])):
        chains = list(repository.chains or [])
        news = [logs for key, logs in told if key == repository.id and _note(chains, logs)]
        if news:
            repository.chains = chains[-KEPT_CHAINS:]
            repository.save()


def _note(chains: list[dict[str, Any]], told: dict[str, Any]) -> bool:
    """Whether that was news."""
    known = next((row for row in chains if row["chain"] == told["chain"]), None)
    if known is None:
        chains.append({key: told[key] for key in ("chain", "since", "until")})
    elif told["until"] > known["until"]:
        known["until"] = told["until"]
    else:
        return False
    return True


def spans(repository_id: str) -> list[Span]:
    """What can be brought back, the oldest first."""
    repository = Repository.get_or_none(Repository.id == repository_id)
    if repository is None or not repository.chains:
        return []
    rows = Backup.select().where(Backup.repository == repository, Backup.status == COMPLETED)
    taken = sorted(
        (row for row in rows if row.details.get("chain")), key=lambda row: float(row.details["at"])
    )
    found = [_span(chain, taken) for chain in repository.chains]
    return sorted((span for span in found if span), key=lambda span: span.earliest)


def chains_needed(repository_id: str, without: list[str]) -> dict[str, float]:
    """By chain the moment (unix seconds) of the oldest backup that it carries on from.

    Backups `without` are on their way out.
    """
    rows = Backup.select().where(
        Backup.repository == repository_id,
        Backup.id.not_in(without),
        Backup.status.in_([COMPLETED, "NEW"]),
    )
    found: dict[str, float] = {}
    for row in rows:
        if chain := row.details.get("chain"):
            found[chain] = min(found.get(chain, float("inf")), row.details["at"])
    return found


def _span(chain: dict[str, Any], taken: list[Backup]) -> Span | None:
    until = int(chain["until"])
    backups = tuple(
        row for row in taken if row.details["chain"] == chain["chain"] and _after(row) <= until
    )
    return Span(_after(backups[0]), until, chain["chain"], backups) if backups else None


def _after(backup: Backup) -> int:
    """The first whole second that comes after all that the backup holds."""
    return int(backup.details["at"]) + 1


def reach(repository_id: str) -> tuple[datetime, datetime] | None:
    """The earliest and the latest time that the instance can be brought back to."""
    found = spans(repository_id)
    return (moment(found[0].earliest), moment(found[-1].latest)) if found else None


def find_point(repository_id: str, to: str) -> Point:
    """What brings the instance back to a time, or to the `latest` one.

    Raises:
        BadRequest: `to` is no such time.
    """
    found = spans(repository_id)
    if not found:
        raise BadRequest(
            "to: no time of this instance can be brought back: it has no physical backup whose "
            "logs are being sent; make one"
        )
    if to == LATEST:
        return Point(backup=found[-1].backups[-1], chain=found[-1].chain, to=None)
    wanted = parse_moment(to)
    for span in found:
        if span.earliest <= wanted <= span.latest:
            backup = [row for row in span.backups if _after(row) <= wanted][-1]
            return Point(backup=backup, chain=span.chain, to=wanted)
    known = " and ".join(str(span) for span in found)
    raise BadRequest(f"to: {to} cannot be brought back; times that can: {known}")


def parse_moment(text: str) -> int:
    """Unix seconds of an ISO 8601 time with its zone, whole seconds.

    Raises:
        BadRequest: it is none.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"to: '{text}' is no time such as 2026-11-22T10:15:30Z") from None
    if read.tzinfo is None:
        raise BadRequest(f"to: '{text}' has no time zone; for UTC end it with Z")
    if read.microsecond:
        raise BadRequest(f"to: '{text}': times are whole seconds")
    return int(read.timestamp())
