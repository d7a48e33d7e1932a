"""Containers with systemd as init, on a host of any kind.

A container is disposable: address, disks and limits are the provider's own, so starting a
guest means running a new container on them.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .command import CommandFailed, attempt, run
from .settings import Settings

OPEN_FILES = 524288
PROCESSES = 30000


@dataclass(frozen=True)
class Container:
    """memory: MiB; mounts: host path, guest path, "ro" or "rw"."""

    name: str
    hostname: str
    root: Path
    namespace: Path
    cpus: float
    memory: int
    mounts: list[tuple[Path, str, str]] = field(default_factory=list)


def start(settings: Settings, wanted: Container) -> None:
    """Run it, in place of what has its name. `always`: a reboot inside brings it back."""
    remove(settings, wanted.name, wanted.root)
    run(
        *_podman(settings),
        *("run", "--detach", "--name", wanted.name, "--hostname", wanted.hostname),
        *("--systemd", "always", "--restart", "always", "--security-opt", "label=disable"),
        *("--log-driver", "k8s-file", "--log-opt", "max-size=1mb"),
        *("--network", f"ns:{wanted.namespace}"),
        *(f"--dns={server}" for server in nameservers(settings)),
        *_limits(wanted.cpus, wanted.memory),
        *("--pids-limit", str(settings.pids_limit)),
        *_ulimit("nofile", resource.RLIMIT_NOFILE, OPEN_FILES),
        *_ulimit("nproc", resource.RLIMIT_NPROC, PROCESSES),
        *(f"--volume={source}:{target}:{mode}" for source, target, mode in wanted.mounts),
        *("--rootfs", str(wanted.root), "/sbin/init"),
    )


def update(settings: Settings, name: str, cpus: float, memory: int) -> None:
    """Change the limits of a running container."""
    run(*_podman(settings), "update", *_limits(cpus, memory), name)


def stop(settings: Settings, name: str) -> None:
    run(
        *_podman(settings),
        *("stop", "--time", str(settings.stop_timeout), name),
        timeout=settings.stop_timeout + 60,
    )


def remove(settings: Settings, name: str, root: Path) -> None:
    """Without a farewell: what the guest held is going away.

    A killed `podman run` can leave a container that runs while podman knows nothing of it, or
    thinks that it never started. Its monitor goes before it, or that would start it again.
    """
    if state(name) is not None:
        run(*_podman(settings), "rm", "--force", "--time", "0", name)
    for pid in _monitors(name):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for runtime, container in _strays(root):
        run(runtime, "delete", "--force", container)


def is_gone(name: str, root: Path) -> bool:
    """Neither podman nor the runtime has a container of this name or on this root."""
    return state(name) is None and not _monitors(name) and not _strays(root)


def _monitors(name: str) -> list[int]:
    """conmon processes of containers of this name."""
    words = ("conmon", name)
    return [
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if (line := _words(path)) and (Path(line[0]).name, *_after("-n", line)) == words
    ]


def _words(path: Path) -> list[str]:
    """Empty when the process went away meanwhile."""
    try:
        return path.read_text(errors="replace").split("\0")
    except OSError:
        return []


def _after(option: str, line: list[str]) -> list[str]:
    return line[line.index(option) + 1 :][:1] if option in line else []


def _strays(root: Path) -> list[tuple[str, str]]:
    """Runtime and id of containers on this root, as the runtimes themselves note them."""
    return [
        (path.parts[2], path.parts[3])
        for pattern in ("runc/*/state.json", "crun/*/status")
        for path in Path("/run").glob(pattern)
        if json.dumps(str(root)) in "".join(_words(path))
    ]


def state(name: str) -> str | None:
    """podman's word for it (running, exited, created, …), None when there is none."""
    answer = attempt("podman", "container", "inspect", "--format", "{{.State.Status}}", name)
    return answer.strip() if answer else None


def nameservers(settings: Settings) -> list[str]:
    """The setting, or the host's own; a stub on the host's loopback is of no use to a guest."""
    if settings.nameservers:
        return settings.nameservers
    for path in (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf")):
        lines = path.read_text().splitlines() if path.exists() else []
        words = [line.split() for line in lines if line.startswith("nameserver ")]
        if servers := [word[1] for word in words if not word[1].startswith(("127.", "::1"))]:
            return servers
    return []


def _podman(settings: Settings) -> tuple[str, ...]:
    manager = settings.cgroup_manager
    if manager == "auto":
        manager = "systemd" if Path("/run/systemd/system").is_dir() else "cgroupfs"
    runtime = settings.runtime
    if runtime == "auto":
        runtime = _runtime()
    return ("podman", "--cgroup-manager", manager, "--runtime", runtime)


def _runtime() -> str:
    """crun where cgroups are pure version 2 (it refuses hybrid hosts), else runc."""
    pure = Path("/sys/fs/cgroup/cgroup.controllers").exists()
    choices = ("crun", "runc") if pure else ("runc",)
    for name in choices:
        if shutil.which(name):
            return name
    raise CommandFailed(f"none of {', '.join(choices)} is installed on this host")


def _limits(cpus: float, memory: int) -> tuple[str, ...]:
    """No swap beyond the memory."""
    return ("--cpus", f"{cpus:g}", "--memory", f"{memory}m", "--memory-swap", f"{memory}m")


def _ulimit(name: str, kind: int, wanted: int) -> tuple[str, str]:
    """As much as is wanted and this host may give."""
    hard = resource.getrlimit(kind)[1]
    value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    return ("--ulimit", f"{name}={value}:{value}")
