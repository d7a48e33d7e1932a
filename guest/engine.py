"""Tells whether the engine's process is still the one it was."""

from guest.files import read

Identity = tuple[str, str] | None
"""Process number and start time, None while there is no process."""


def identity(pidfile: str, proc: str = "/proc") -> Identity:
    """The engine's process by its pid file.

    The start time tells two processes apart that got the same number.
    """
    pid = read(pidfile) or ""
    if not pid.isdigit():
        return None
    stat = read(f"{proc}/{pid}/stat") or ""
    # The command name, in parentheses, may hold spaces; start time is field 22 (proc(5)).
    fields = stat.rpartition(")")[2].split()
    return (pid, fields[19]) if len(fields) > 19 else None
