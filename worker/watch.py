"""The watch over a running operation: renews its lease, sees an abort, a deadline, a lost lease."""

import logging
import threading
import time
from datetime import datetime
from types import TracebackType

import peewee

from coffer.clock import utcnow
from coffer.database import database
from coffer.errors import LeaseLost
from coffer.lifecycle import LEASE_SECONDS, renew
from coffer.models import Operation
from coffer.operations import State

log = logging.getLogger(__name__)

_LOOK_EVERY = 1.0
_RENEW_EVERY = LEASE_SECONDS / 3


class Watch:
    """A thread beside the playbook; `stop` says why that has to end, None while it may go on."""

    def __init__(self, operation: Operation, deadline: datetime, abortable: bool = True) -> None:
        self._operation = operation
        self._deadline = deadline
        self._abortable = abortable
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.stop: State | None = None
        self.lost = False

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def must_stop(self) -> bool:
        """What ansible-runner asks again and again."""
        return self.lost or self.stop is not None

    def _run(self) -> None:
        renewed = time.monotonic()
        while not self._over.wait(_LOOK_EVERY) and not self.must_stop():
            try:
                self.look(due := time.monotonic() - renewed >= _RENEW_EVERY)
                renewed = time.monotonic() if due else renewed
            except LeaseLost:
                self.lost = True
            except peewee.DatabaseError as error:  # the records are away or busy
                log.warning("operation %s: %s", self._operation.id, error)
                self.lost = time.monotonic() - renewed > LEASE_SECONDS

    def look(self, due: bool = False) -> None:
        """Look now whether the playbook has to end; renew the lease when that is due.

        Raises:
            LeaseLost: the operation is no longer this owner's.
        """
        with database.connection_context():
            row = renew(self._operation) if due else Operation.get_by_id(self._operation.id)
        if row.lease_owner != self._operation.lease_owner:
            raise LeaseLost(row.id)
        if row.abort_requested and self._abortable:
            self.stop = State.ABORTED
        elif utcnow() > self._deadline:
            self.stop = State.EXPIRED
