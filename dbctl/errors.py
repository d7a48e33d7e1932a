"""What can go wrong, named after what happened; each knows its exit code and the next step."""

from __future__ import annotations

FAILURE = 1
USAGE = 2
NOT_FOUND = 3
HALTED = 3
STILL_RUNNING = 4
INTERRUPTED = 130


class DbctlError(Exception):
    """Something a person must read: `message` says what happened, `hints` what to do next."""

    code = FAILURE

    def __init__(self, message: str, *hints: str) -> None:
        super().__init__(message)
        self.message = message
        self.hints = hints


class BadUsage(DbctlError):
    """The command or the configuration is wrong; nothing was sent."""

    code = USAGE


class NotFound(DbctlError):
    """No instance, operation, datastore or flavor of that name."""

    code = NOT_FOUND


class Ambiguous(DbctlError):
    """A name or prefix fits more than one thing; `hints` lists them."""


class Refused(DbctlError):
    """The API answered 4xx or 5xx; the message is the API's own."""

    def __init__(self, message: str, *hints: str, status: int) -> None:
        super().__init__(message, *hints)
        self.status = status


class Unreachable(DbctlError):
    """The API did not answer at all, or a gateway answered for it."""


class OperationFailed(DbctlError):
    """The operation ended in `failed`, `aborted` or `expired`."""


class RunHalted(DbctlError):
    """A patch run does not go on for now: it was aborted, or waits for a maintenance window."""

    code = HALTED


class StillRunning(DbctlError):
    """Waiting ended before the operation did: `--timeout` passed."""

    code = STILL_RUNNING


class Detached(DbctlError):
    """Ctrl-C while waiting: the operation goes on without us."""

    code = INTERRUPTED
