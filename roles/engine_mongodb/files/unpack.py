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


def take(archive: Path, name: str, target: Path) -> None:
    """Copy the member whose path ends in a name."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as box:
            found = next(each for each in box.namelist() if each.endswith(f"/{name}"))
            with box.open(found) as source, target.open("wb") as stream:
                shutil.copyfileobj(source, stream, 1 << 20)
        return
    with tarfile.open(archive) as tar:
        found = next(each for each in tar.getnames() if each.endswith(f"/{name}"))
        member = tar.extractfile(found)
        if member is None:
            sys.exit(f"{name} is not a file")
        with target.open("wb") as stream:
            shutil.copyfileobj(member, stream, 1 << 20)


def main() -> None:
    """Write beside the place, then rename."""
    archive, name, target = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    fresh = target.with_name(target.name + ".new")
    if name:
        take(archive, name, fresh)
        fresh.chmod(0o755)
        fresh.replace(target)
        return
    shutil.rmtree(fresh, ignore_errors=True)
    with zipfile.ZipFile(archive) as box:
        box.extractall(fresh)  # noqa: S202 - its checksum is known  # noqa: S202  an archive whose hash was checked
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


main()
