"""Logs of guests on the wire (Trove v1.0), with Coffer's own fields after Trove's."""

from typing import Literal

from api.schemas.common import Text, Wire

Flag = bool | Literal[0, 1]
NOWHERE = "None"
"""Trove's word for a log that lies in no container of Swift."""


class Log(Wire):
    """A log; `published` and `pending` in bytes."""

    name: str
    type: str
    status: str
    published: int
    pending: int
    container: str
    prefix: str
    metafile: str
    enabled: bool
    warning: str = ""


class LogDocument(Wire):
    """One log."""

    log: Log


class LogList(Wire):
    """The logs of an instance."""

    logs: list[Log]


class LogObject(Wire):
    """A piece of a log as Swift lists objects."""

    name: str
    bytes: int
    last_modified: str
    content_type: str = "text/plain"


class LogAction(Wire):
    """POST /instances/{id}/log: a name alone only shows the log."""

    name: Text
    enable: Flag = False
    disable: Flag = False
    publish: Flag = False
    discard: Flag = False


class Lines(Wire):
    """Whole lines that are kept of a log; `next` is the offset to go on from."""

    name: str
    offset: int
    next: int
    content: str


class LinesDocument(Wire):
    """GET /instances/{id}/log/{log} (Coffer's own)."""

    log: Lines
