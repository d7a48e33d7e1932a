"""Patches of one instance and of many on the wire (Coffer's own)."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from api.schemas.common import Closed, Text, Wire

Packages = Literal["security", "all", "none"]
"""Those of a security archive, all newer ones, or none but the engine's."""


class PatchIn(Closed):
    """What is patched, and whether that is only asked."""

    packages: Packages = "security"
    plan: bool = False
    """Only find out what would change."""
    backup: bool = True
    """Whether an instance without a fresh backup is backed up first."""


class PatchInstance(Closed):
    """POST /instances/{id}/patch."""

    patch: PatchIn


class RunIn(Closed):
    """Either `instances` (ids) or a `selector` of `engine`, `version`, `project`, `name`."""

    instances: Annotated[list[Text], Meta(min_length=1, max_length=10_000)] | None = None
    selector: dict[str, Text] | None = None
    does: Literal["patch", "plan", "rehearse"] = "patch"
    packages: Packages = "security"
    waves: Text = "1,10%,50%,100%"
    """How many are done after each wave."""
    max_failures: Annotated[int, Meta(ge=0, le=10_000)] = 0
    pause: Annotated[float, Meta(ge=0, le=604_800)] = 0.0
    """Seconds between two waves."""
    canary: Text | None = None
    """Id of the instance that goes first."""
    backup: bool = True
    """Whether an instance without a fresh backup is backed up first."""
    force: bool = False
    """Override maintenance windows."""


class StartRun(Closed):
    """POST /patches."""

    patch: RunIn


class ResumeIn(Closed):
    """`force`: override maintenance windows from now on."""

    force: bool = False


class RunAction(Closed):
    """POST /patches/{id}/action: one of these."""

    abort: dict[str, Any] | UnsetType | None = UNSET
    resume: ResumeIn | UnsetType | None = UNSET


class RunMember(Wire):
    """An instance of a run; `changes` is what its patch has changed, or a plan would."""

    instance_id: str
    instance: str
    wave: int
    state: str
    operation: str | None
    problem: str
    changes: list[dict[str, Any]]
    restart: bool
    """The engine is, or was, started anew."""
    reboot: bool
    """The guest is, or was."""
    services: list[str]
    """Other services that are, or were, for they ran on what was replaced."""
    seconds: float
    seconds_without_writes: float


class Run(Wire):
    """A run; `counts` are instances by state, `instances` are left out in lists."""

    id: str
    project_id: str
    does: str
    selector: dict[str, str]
    packages: str
    waves: str
    wave: int
    max_failures: int
    pause: float
    backup: bool
    force: bool
    state: str
    reason: str | None
    waits_until: str | None
    counts: dict[str, int]
    actions: list[str]
    user: str
    request_id: str
    created: str
    ended: str | None
    seconds: float
    instances: list[RunMember] | UnsetType = UNSET


class RunDocument(Wire):
    """One run."""

    patch: Run


class RunList(Wire):
    """Runs, newest first."""

    patches: list[Run]
