"""A stock image on this host, opened so that an engine can be installed in it over SSH.

Beside the file of the disk there is nothing that outlives its processes: mounts are in their
namespace, and the loop device is freed with the mount.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import CloudRefused
from .site import Site

GIB = 1024**3
_PATIENCE = 60
"""Seconds for the SSH server to answer, and for the tree to be unmounted."""
_PAUSE = 0.1


@dataclass(frozen=True)
class Tree:
    """In a directory that nobody else has."""

    place: Path

    @property
    def disk(self) -> Path:
        """Raw, as the builder writes it."""
        return self.place / "disk.raw"

    @property
    def size(self) -> int:
        """GiB of the disk."""
        return -(-self.disk.stat().st_size // GIB)

    def open(self, site: Site, stock: Any, gib: int, keys: Path, script: str) -> int:
        """The port at which SSH answers. The disk has at least `gib`.

        `keys` holds `host_key` and `login_key.pub`. CloudRefused when it cannot be opened.
        """
        self.remove()
        self.place.mkdir(mode=0o700)
        fetched = self.place / "stock"
        site.cloud.image.download_image(stock, stream=True, output=str(fetched))
        _run("qemu-img", "convert", "-f", stock.disk_format, "-O", "raw", fetched, self.disk)
        fetched.unlink()
        begin, length = self._grow(gib * GIB)
        mounted = self.place / "tree"
        mounted.mkdir()
        (self.place / "enter.sh").write_text(script)
        port = _free_port()
        arguments = [self.disk, begin, length, mounted, keys, port]
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh"]
        with self._log.open("wb") as log:
            process = subprocess.Popen(
                [*command, str(self.place / "enter.sh"), *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_for_ssh(process, port)
        return port

    @property
    def _log(self) -> Path:
        return self.place / "log"

    def _grow(self, size: int) -> tuple[int, int]:
        """Make the disk so large; where its root file system begins and how long it may be."""
        before = self.disk.stat().st_size
        size = max(size, before)
        with self.disk.open("r+b") as disk:
            disk.truncate(size)
        if not (table := self._table()):
            return 0, size
        root = max(table["partitions"], key=lambda each: int(each["size"]))
        if size > before:
            number = table["partitions"].index(root)
            if table["label"] == "gpt":
                _run("sfdisk", "--quiet", "--relocate", "gpt-bak-std", self.disk)
            _run("sfdisk", "--quiet", "-N", _number(root), self.disk, text=", +\n")
            table = self._table()
            root = table["partitions"][number]
        sector = int(table.get("sectorsize", 512))
        return int(root["start"]) * sector, int(root["size"]) * sector

    def _table(self) -> dict[str, Any]:
        """Of the disk's partitions; empty where it has none."""
        found = subprocess.run(
            ["sfdisk", "--json", str(self.disk)], capture_output=True, text=True, check=False
        )
        return json.loads(found.stdout)["partitiontable"] if found.returncode == 0 else {}

    def _wait_for_ssh(self, process: subprocess.Popen[bytes], port: int) -> None:
        deadline = time.monotonic() + _PATIENCE
        while process.poll() is None and time.monotonic() < deadline:
            with socket.socket() as plain:
                if plain.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(_PAUSE)
        said = " ".join(self._log.read_text(errors="replace").split())
        raise CloudRefused(f"the stock image cannot be opened on this host: {said[-500:]}")

    def pack(self, disk_format: str) -> Path:
        """The file of the image, once nobody works in the tree any more."""
        self.close()
        packed = self.place / "image"
        _run("qemu-img", "convert", "-f", "raw", "-O", disk_format, self.disk, packed)
        return packed

    def close(self) -> None:
        """End all that runs in it, and wait until it is written."""
        for process in self._processes():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)  # it ignores others; its child dies too
        deadline = time.monotonic() + _PATIENCE
        while self._processes() or self._is_attached():
            if time.monotonic() > deadline:
                raise CloudRefused(f"{self.disk} is still in use on this host")
            time.sleep(_PAUSE)

    def _processes(self) -> list[int]:
        """Who keeps the namespaces."""
        start = b"unshare\0--mount\0--pid\0--fork\0--kill-child\0sh\0"
        mine = start + bytes(self.place / "enter.sh") + b"\0"
        return [
            int(path.parent.name)
            for path in Path("/proc").glob("[0-9]*/cmdline")
            if _read(path).startswith(mine)
        ]

    def _is_attached(self) -> bool:
        if not self.disk.exists():
            return False
        return bool(_run("losetup", "--associated", self.disk).strip())

    @property
    def exists(self) -> bool:
        """Whether anything of it is here."""
        return self.place.exists()

    def remove(self) -> None:
        """It, and what a run that died left of it."""
        self.close()
        if self.exists:
            shutil.rmtree(self.place)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has just ended
        return b""


def _number(partition: dict[str, Any]) -> str:
    """At the end of its name: `disk.raw1`."""
    name = str(partition["node"])
    return name[len(name.rstrip("0123456789")) :]


def _free_port() -> int:
    with socket.socket() as plain:
        plain.bind(("127.0.0.1", 0))
        return int(plain.getsockname()[1])


def _run(*command: object, text: str | None = None) -> str:
    """Output; CloudRefused with what it said when it fails."""
    done = subprocess.run(
        [str(word) for word in command], input=text, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = " ".join(done.stderr.split())[-500:]
        raise CloudRefused(f"{command[0]} failed on this host: {said}")
    return done.stdout
