"""Golden images: directories in a cache that several installations may share.

<cache>/<name>-<hash>/         one version of an image: a root file system
<cache>/<name>                 symbolic link to the current version
<cache>/.users/<version>/<g>   guest g runs on this version: do not remove it
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from .files import link_atomic, locked
from .settings import Settings


def path_of(settings: Settings, version: str) -> Path:
    return settings.image_dir / version


def current(settings: Settings, name: str) -> str | None:
    """The version that `name` stands for now, None when there is none."""
    link = settings.image_dir / name
    return link.readlink().name if link.is_symlink() and link.exists() else None


def use(settings: Settings, name: str, guest: str) -> str:
    """Choose the current version for a guest and keep it from being pruned."""
    with locked(_lock(settings)):
        version = current(settings, name)
        if version is None:
            raise ValueError(
                f"image {name} is not in {settings.image_dir}: run the image_build playbook"
            )
        marker = _users(settings) / version / guest
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        return version


def used_by(settings: Settings, guest: str) -> list[Path]:
    return list(_users(settings).glob(f"*/{guest}"))


def release(settings: Settings, guest: str, but: str = "") -> None:
    """Let the guest's versions go, all or all `but` one."""
    with locked(_lock(settings)):
        for marker in used_by(settings, guest):
            if marker.parent.name == but:
                continue
            marker.unlink()
            if not any(marker.parent.iterdir()):
                marker.parent.rmdir()


def version_of(name: str, inputs: dict[str, Any]) -> str:
    """The name of the version that these inputs make."""
    text = json.dumps(inputs, sort_keys=True)
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def digest_of(paths: list[Path]) -> dict[str, str]:
    """Relative name -> hash of every file below the paths, for the inputs of a version."""
    return {
        f"{top.name}/{path.relative_to(top)}": hashlib.sha256(path.read_bytes()).hexdigest()
        for top in paths
        for path in sorted(top.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def publish(settings: Settings, name: str, version: str, tree: Path) -> None:
    """Move a finished tree to its place and make it the current version."""
    with locked(_lock(settings)):
        place = path_of(settings, version)
        if not place.exists():
            os.sync()
            tree.rename(place)
        link_atomic(settings.image_dir / name, version)


def prunable(settings: Settings, name: str) -> list[Path]:
    """Versions of an image that are neither current nor used by any guest."""
    now = current(settings, name)
    return [
        path
        for path in settings.image_dir.glob(f"{name}-*")
        if path.name != now
        and path.name.removeprefix(f"{name}-").isalnum()
        and not (_users(settings) / path.name).exists()
    ]


def prune(settings: Settings, name: str) -> None:
    """Out of sight under the lock first; the removal itself takes its time."""
    with locked(_lock(settings)):
        doomed = [path.rename(_doomed(path)) for path in prunable(settings, name)]
    for path in doomed:
        shutil.rmtree(path)


def _doomed(path: Path) -> Path:
    return path.with_name(f".{path.name}.old")


def _lock(settings: Settings) -> Path:
    return settings.image_dir / ".lock"


def _users(settings: Settings) -> Path:
    return settings.image_dir / ".users"
