"""Takes one file out of a wheel, a zip or a tar archive, or a directory tree out of a wheel.

`unpack.py ARCHIVE NAME TARGET`: the member whose path ends in NAME becomes the program TARGET;
with an empty NAME everything goes into the directory TARGET.
"""

from __future__ import annotations

import shutil
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import IO


def member(archive: Path, name: str) -> IO[bytes]:
    """The member of an archive as a stream."""
    if zipfile.is_zipfile(archive):
        box = zipfile.ZipFile(archive)
        return box.open(next(each for each in box.namelist() if each.endswith(f"/{name}")))
    tar = tarfile.open(archive)  # noqa: SIM115  closed with the process
    stream = tar.extractfile(next(each for each in tar.getnames() if each.endswith(f"/{name}")))
    assert stream is not None  # noqa: S101 - a member of that name is a file
    return stream


def main() -> None:
    """Write beside the place, then rename."""
    archive, name, target = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    fresh = target.with_name(target.name + ".new")
    if name:
        with member(archive, name) as source, fresh.open("wb") as stream:
            shutil.copyfileobj(source, stream, 1 << 20)
        fresh.chmod(0o755)
        fresh.replace(target)
        return
    shutil.rmtree(fresh, ignore_errors=True)
    with zipfile.ZipFile(archive) as box:
        box.extractall(fresh)  # noqa: S202  an archive whose hash was checked
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


main()
