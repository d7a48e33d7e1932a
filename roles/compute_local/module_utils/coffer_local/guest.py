"""A guest: its root disk, its seed, its container."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from . import image, network, podman, volume
from .command import run
from .disk import present
from .files import read_text, remove_files, write_atomic
from .mounts import no_directory, source_of, unmounted
from .settings import Settings
from .steps import Step, converge
from .store import Guest, Record, holding_host, save

SEED = "/var/lib/coffer/seed"  # in the guest; the base image's sshd reads it
HOST_KEY = "ssh_host_ed25519_key"
AUTHORIZED = "authorized_keys"


@dataclass(frozen=True)
class Seed:
    """What lets us in. None: leave what is there."""

    host_key: str | None
    public_key: str | None


LEAVE = Seed(None, None)


def root_of(settings: Settings, instance: str) -> Path:
    """The guest's whole tree, as the host sees it."""
    return volume.directory(settings, instance) / "tree"


def stopped(settings: Settings, record: Record) -> list[Step]:
    name = settings.name(record.instance)
    return [
        Step(
            "stopped",
            lambda: not is_running(settings, record),
            lambda: podman.stop(settings, name),
        )
    ]


def resized(settings: Settings, record: Record) -> list[Step]:
    """New limits for what runs; a stopped guest gets them when it starts."""
    if not is_running(settings, record):
        return []
    return [*_root_steps(settings, record), *_limit_steps(settings, record)]


def absent(settings: Settings, instance: str) -> list[Step]:
    name, tree = settings.name(instance), root_of(settings, instance)
    folder = volume.directory(settings, instance)
    seed = folder / "seed"
    return [
        Step(
            "container",
            lambda: podman.state(name) is None,
            lambda: podman.remove(settings, name),
        ),
        unmounted(tree),
        no_directory(tree),
        *volume.volume_removal(settings, instance, "root"),
        Step("seed", lambda: not seed.exists(), lambda: remove_files(seed)),
        Step(
            "image",
            lambda: not image.used_by(settings, name),
            lambda: image.release(settings, name),
        ),
    ]


def bring_up(
    settings: Settings,
    record: Record,
    seed: Seed = LEAVE,
    make: bool = False,
    check: bool = False,
) -> list[str]:
    """All of a guest, its network and disks included, as its record says.

    make: the root disk may be new. A data volume never is: that was made before.
    """
    with holding_host(settings, check):
        shared = [*network.host_steps(settings), *volume.pool_steps(settings)]
        changed = converge(shared, check)
    volumes = [volume.volume_steps(settings, record, name, make=False) for name in record.volumes]
    own = [
        *network.guest_steps(settings, record),
        *chain.from_iterable(volumes),
        *_seed_steps(settings, record.instance, seed),
        *_root_steps(settings, record, make),
        Step("running", lambda: is_running(settings, record), lambda: _run(settings, record)),
        *_limit_steps(settings, record),
    ]
    return changed + converge(own, check)


def is_running(settings: Settings, record: Record) -> bool:
    return podman.state(settings.name(record.instance)) == "running"


def _guest(record: Record) -> Guest:
    if record.guest is None:
        raise ValueError(f"instance {record.instance} has no guest yet: create it first")
    return record.guest


def _seed_steps(settings: Settings, instance: str, seed: Seed) -> list[Step]:
    folder = volume.directory(settings, instance) / "seed"
    files = {HOST_KEY: seed.host_key, AUTHORIZED: seed.public_key}
    return [_file(folder / name, text.strip() + "\n") for name, text in files.items() if text]


def _file(path: Path, text: str) -> Step:
    return Step(path.name, lambda: read_text(path) == text, lambda: _write(path, text))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_atomic(path, text)


def _root_steps(settings: Settings, record: Record, make: bool = True) -> list[Step]:
    guest, tree = _guest(record), root_of(settings, record.instance)
    disk = volume.disk_of(settings, record.instance, "root", guest.disk)
    return [
        *present(disk, make),
        Step(
            "root",
            lambda: source_of(tree) is not None,
            lambda: _overlay(image.path_of(settings, guest.image), disk.mountpoint, tree),
        ),
    ]


def _overlay(image_tree: Path, disk: Path, tree: Path) -> None:
    """The image below, what the guest writes on its own disk: a clone costs nothing."""
    upper, work = disk / "upper", disk / "work"
    for path in (upper, work, tree):
        path.mkdir(exist_ok=True)
    options = f"lowerdir={image_tree},upperdir={upper},workdir={work}"
    run("mount", "-t", "overlay", "overlay", "-o", options, str(tree))


def _run(settings: Settings, record: Record) -> None:
    guest, name = _guest(record), settings.name(record.instance)
    folder = volume.directory(settings, record.instance)
    if not (folder / "seed" / HOST_KEY).exists():
        raise ValueError("the guest has no host key: coffer_host_key is needed once")
    podman.start(
        settings,
        podman.Container(
            name=name,
            hostname=f"{settings.prefix}-{record.instance[:8]}",
            root=root_of(settings, record.instance),
            namespace=network.NAMESPACES / name,
            cpus=guest.cpus,
            memory=guest.memory,
            mounts=[(folder / "data", guest.data_directory, "rw"), (folder / "seed", SEED, "ro")],
        ),
    )
    guest.applied = guest.limits
    save(settings, record)


def _limit_steps(settings: Settings, record: Record) -> list[Step]:
    guest = _guest(record)
    return [
        Step("limits", lambda: guest.applied == guest.limits, lambda: _limit(settings, record))
    ]


def _limit(settings: Settings, record: Record) -> None:
    guest = _guest(record)
    podman.update(settings, settings.name(record.instance), guest.cpus, guest.memory)
    guest.applied = guest.limits
    save(settings, record)
