"""Who asks, and the operations that are begun for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from coffer.lifecycle import begin
from coffer.models import Instance, Operation
from coffer.operations import KINDS
from coffer.parts import Part


@dataclass(frozen=True)
class Caller:
    """Who asks, for the record of the operation."""

    project_id: str
    user: str
    request_id: str

    def begin(
        self,
        kind: str,
        instance: Instance,
        changes: dict[str, Any] | None = None,
        parameters: dict[str, Any] | None = None,
        runner: str = "worker",
        parts: Sequence[Part] = (),
        before: Operation | None = None,
    ) -> Operation:
        """Write a queued operation of this caller's; runs inside the caller's transaction.

        Raises:
            Unprocessable: another operation has an instance and this kind does not wait.
        """
        return begin(
            KINDS[kind],
            instance,
            user=self.user,
            request_id=self.request_id,
            changes=changes,
            parameters=parameters,
            runner=runner,
            parts=parts,
            before=before,
        )
