"""Maintenance windows on the wire (Coffer's own)."""

from typing import Annotated, Literal

from msgspec import Meta

from api.schemas.common import Closed, Text, Wire

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Time = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""`HH:MM`, UTC."""


class WindowIn(Closed):
    """When work may begin; without `instance` it is the project's default."""

    days: Annotated[list[Day], Meta(min_length=1, max_length=7)]
    start: Time
    minutes: Annotated[int, Meta(ge=1, le=10_080)]
    instance: Text | None = None


class PutWindow(Closed):
    """POST /maintenance_windows."""

    maintenance_window: WindowIn


class Window(Wire):
    """A window; `opens` is when it opens next, or opened if it is open."""

    id: str
    project_id: str
    instance_id: str | None
    days: list[str]
    start: str
    minutes: int
    open: bool
    opens: str
    created: str
    updated: str


class WindowDocument(Wire):
    """One window."""

    maintenance_window: Window


class WindowList(Wire):
    """The project's default, and what instances have instead."""

    maintenance_windows: list[Window]
