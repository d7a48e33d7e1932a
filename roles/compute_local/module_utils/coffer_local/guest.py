"""A guest: its root disk, its seed, its container; and the whole of it, up and down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import image, network, podman, store, volume
from .command import run
from .disk import absent as disk_absent
from .disk import present as disk_present
from .files import read_text, remove_files, write_atomic
from .mounts import no_directory, source_of, unmounted
from .private import private_steps
from .settings import Settings
from .steps import Step, converge
from .store import Guest, Record

SEED = "/var/lib/coffer/seed"  # in the guest; the base image's sshd reads it
HOST_KEY = "ssh_host_ed25519_key"
AUTHORIZED = "authorized_keys"


@dataclass(frozen=True)
class Seed:
    """What lets us in. None: leave what is there."""

    host_key: str | None = None
    public_key: str | None = None


def root_of(settings: Settings, instance: str) -> Path:
    """The guest's whole tree, as the host sees it."""
    return volume.directory(settings, instance) / "tree"


def is_running(settings: Settings, record: Record) -> bool:
    return podman.state(settings.name(record.instance)) == "running"


def bring_up(
    settings: Settings, record: Record, seed: Seed | None = None, check: bool = False
) -> list[str]:
    """Network, disks and, if it is wanted, the running guest, as the record says."""
    with store.holding_host(settings, check):
        shared = [
            *private_steps(settings),
            *network.host_steps(settings),
            *volume.pool_steps(settings),
        ]
        changed = converge(shared, check)
    return changed + converge(_own_steps(settings, record, seed or Seed()), check)


def _own_steps(settings: Settings, record: Record, seed: Seed) -> Iterator[Step]:
    """A disk may be new until the guest has run for the first time, never later."""
    guest = _guest(record)
    new = not guest.applied
    yield from network.guest_steps(settings, record)
    for name in record.volumes:
        yield from volume.volume_steps(settings, record, name, make=new)
    yield from _root_steps(settings, record, make=new or guest.rebuild == "make")
    yield from _seed_steps(settings, record.instance, seed)
    if guest.wanted == "running":
        yield from _run_steps(settings, record)


def stopped(settings: Settings, record: Record) -> list[Step]:
    name = settings.name(record.instance)
    return [
        Step(
            "stopped",
            lambda: not is_running(settings, record),
            lambda: podman.stop(settings, name),
        )
    ]


def image_of(record: Record) -> str:
    """The version of an image that the root disk lies upon."""
    return _guest(record).image


def lies_upon(record: Record, version: str) -> bool:
    """Whether it is this one, for good."""
    guest = _guest(record)
    return (guest.image, guest.rebuild) == (version, "")


def lie_upon(settings: Settings, record: Record, version: str) -> None:
    """Let the root disk, which is put back, lie upon this image again."""
    guest = _guest(record)
    guest.image, guest.rebuild = version, ""
    store.save(settings, record)


def without_root(settings: Settings, record: Record) -> list[Step]:
    """Down, and its root disk gone; the data volume, the network and the seed stay."""
    name, tree = settings.name(record.instance), root_of(settings, record.instance)
    return [
        *stopped(settings, record),
        Step(
            "container",
            lambda: podman.is_gone(name, tree),
            lambda: podman.remove(settings, name, tree),
        ),
        unmounted(tree),
        *disk_absent(volume.disk_of(settings, record.instance, "root", 0)),
    ]


def absent(settings: Settings, instance: str) -> list[Step]:
    """Everything, whether or not there is a record; the record goes last."""
    record = store.load(settings, instance)
    name, tree = settings.name(instance), root_of(settings, instance)
    folder = volume.directory(settings, instance)
    disks = (volume.disk_of(settings, instance, each, 0) for each in ("root", "data"))
    return [
        Step(
            "container",
            lambda: podman.is_gone(name, tree),
            lambda: podman.remove(settings, name, tree),
        ),
        *volume.pool_if_made(settings),
        unmounted(tree),
        no_directory(tree),
        *(step for disk in disks for step in disk_absent(disk)),
        volume.snapshots_absent(settings, instance),
        no_directory(settings.pool / instance),
        Step("seed", lambda: not (folder / "seed").exists(), lambda: remove_files(folder / "seed")),
        Step(
            "image",
            lambda: not image.used_by(settings, name),
            lambda: image.release(settings, name),
        ),
        *network.guest_removal(settings, instance, record),
        no_directory(folder),
        Step(
            "record",
            lambda: store.forgotten(settings, instance),
            lambda: store.forget(settings, instance),
        ),
    ]


def _guest(record: Record) -> Guest:
    if record.guest is None:
        raise ValueError(f"instance {record.instance} has no guest: create it first")
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


def _root_steps(settings: Settings, record: Record, make: bool) -> list[Step]:
    guest, tree = _guest(record), root_of(settings, record.instance)
    disk = volume.disk_of(settings, record.instance, "root", guest.disk)
    return [
        *disk_present(disk, make),
        Step(
            "root",
            lambda: source_of(tree) is not None,
            lambda: _overlay(image.path_of(settings, guest.image), disk.mountpoint, tree),
        ),
    ]


def _overlay(image_tree: Path, disk: Path, tree: Path) -> None:
    """The image below, what the guest writes on its own disk: a clone costs nothing."""
    if not image_tree.is_dir():
        raise FileNotFoundError(f"image {image_tree} is gone: the guest cannot start without it")
    upper, work = disk / "upper", disk / "work"
    for path in (upper, work, tree):
        path.mkdir(exist_ok=True)
    options = f"lowerdir={image_tree},upperdir={upper},workdir={work}"
    run("mount", "-t", "overlay", "overlay", "-o", options, str(tree))


def _run_steps(settings: Settings, record: Record) -> list[Step]:
    guest = _guest(record)
    return [
        Step("running", lambda: is_running(settings, record), lambda: _run(settings, record)),
        Step("limits", lambda: guest.applied == guest.limits, lambda: _limit(settings, record)),
    ]


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
    _applied(settings, record, guest)


def _limit(settings: Settings, record: Record) -> None:
    guest = _guest(record)
    podman.update(settings, settings.name(record.instance), guest.cpus, guest.memory)
    _applied(settings, record, guest)


def _applied(settings: Settings, record: Record, guest: Guest) -> None:
    guest.applied, guest.rebuild = guest.limits, ""
    store.save(settings, record)
