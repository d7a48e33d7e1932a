"""What the contract of a provider needs of it: real ones and the one in memory have that."""

from typing import Any, Protocol

from tests.roles.provider import Outcome

Named = Any
"""A guest that is asked for; what it is only its provider knows."""
Created = tuple[Named, Outcome]
"""The guest that several tests share, and how its creation went."""


class Inside(Protocol):
    """What a guest shows to who is in it (tests/roles/inside.py says it in full)."""

    def answers(self) -> bool: ...
    def boot(self) -> str: ...
    def size_of(self, path: str) -> int: ...
    def holds(self, memory: int) -> bool: ...
    def write(self, word: str) -> None: ...
    def words(self) -> list[str]: ...


class Provider(Protocol):
    """A provider with what the test must know of it (tests/roles/data/provider_local.yml)."""

    data: dict[str, Any]

    def instance(self) -> Named:
        """A guest that is not there yet."""

    def run(self, verb: str, *instances: Named, check: bool = False, **more: Any) -> Outcome:
        """Run an entry point on these guests; `more` are variables that differ."""

    def interrupt(self, verb: str, instance: Named, moment: dict[str, Any], **more: Any) -> None:
        """Kill a run of an entry point at a moment that the data name."""

    def inside(self, created: Created) -> Inside:
        """The guest from within."""

    def traces(self) -> dict[str, str]:
        """What all guests have and a deleted one must not have any more."""
