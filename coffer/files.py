"""Files that are whole at every moment."""

import os
from pathlib import Path


def replace(file: Path, text: str, mode: int = 0o600) -> None:
    """Write temp, sync, rename. Owner and mode stay; a new file gets `mode` and is ours."""
    before = file.stat() if file.exists() else None
    new = file.with_name(f".{file.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        os.fchmod(descriptor, before.st_mode & 0o777 if before else mode)
        if before:
            os.fchown(descriptor, before.st_uid, before.st_gid)
        stream.write(text)
        stream.flush()
        os.fsync(descriptor)
    new.replace(file)
