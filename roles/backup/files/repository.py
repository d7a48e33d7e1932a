"""The instance's repository behind the gateway, and what restic says of it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from common import Directory, Trouble

PLACE = Path(__file__).parent
CACHE = "/var/cache/coffer-restic"
COPY_SIZE = 1 << 20
TICK_TIMEOUT = 240
"""Seconds for files that are added between two backups; restic itself would try for longer."""


class Repository:
    """The instance's repository behind the gateway."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._job = job
        self._ca = job["ca"]
        host = job["gateway"].removeprefix("https://")
        login = f"{job['repository']}:{job['gateway_password']}"
        self._path = f"{host}/{job['repository']}/"
        self._token = base64.b64encode(login.encode()).decode()
        self._environment = {
            **os.environ,
            "RESTIC_REPOSITORY": f"rest:https://{login}@{self._path}",
            "RESTIC_PASSWORD": job["repository_password"],
            "RESTIC_CACHE_DIR": CACHE,
            "RESTIC_PROGRESS_FPS": "0.1",
            "GOGC": "25",  # memory is the database's
        }

    def open(self) -> None:
        """See that the gateway answers, and that the control plane has made the repository.

        Raises:
            Trouble: the gateway cannot be reached, or refuses, or there is no repository.
        """
        request = urllib.request.Request(
            f"https://{self._path}config", headers={"Authorization": f"Basic {self._token}"}
        )
        trust = ssl.create_default_context(cafile=self._ca)
        try:
            urllib.request.urlopen(request, timeout=20, context=trust).close()  # noqa: S310
        except urllib.error.HTTPError as error:
            if error.code == 404:
                raise Trouble("there is no repository yet: the next backup makes it") from None
            raise Trouble(f"the gateway of the backups says {error.code} {error.reason}") from None
        except OSError as error:
            raise Trouble(f"the gateway of the backups cannot be reached: {error}") from None

    def _restic(self, *arguments: str) -> list[str]:
        return ["restic", "--cacert", self._ca, *arguments]

    def unlock(self) -> None:
        """Take away locks of programs of this guest that are no more."""
        self._run("unlock", "--quiet")

    def add(self, files: Sequence[Path], tags: Sequence[str], parent: str | None) -> str:
        """Back files up under these tags; the snapshot's id.

        What `parent` has already is not read again.

        Raises:
            Trouble: with what restic said.
        """
        words = [word for tag in tags for word in ("--tag", tag)]
        since = ["--parent", parent] if parent else []
        host = ["--host", self._job["repository"]]
        names = [str(file) for file in files]
        said = self._run("backup", "--json", *host, *words, *since, *names)
        return str(_summary(said)["snapshot_id"])

    def _run(self, *arguments: str) -> str:
        try:
            done = subprocess.run(
                self._restic(*arguments),
                capture_output=True,
                text=True,
                env=self._environment,
                timeout=TICK_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Trouble(f"restic {arguments[0]} took more than {TICK_TIMEOUT} s") from None
        if done.returncode:
            raise Trouble(f"restic: {_last_line(done.stderr)}")
        return done.stdout

    def save(self, data: Any) -> dict[str, Any]:
        """Back a directory or a stream up; restic's summary.

        Raises:
            Trouble: with what restic, or who makes the stream, said.
        """
        files = isinstance(data, Directory)
        what = [str(data.path)] if files else ["--stdin", "--stdin-filename", data.name]
        # What another control plane must know to restore it stands beside it.
        facts = {key: self._job[key] for key in ("engine", "version", "method")}
        facts["kind"] = "directory" if files else "stream"
        tags = [self._job["id"], *(f"{key}={value}" for key, value in facts.items())]
        words = [word for tag in tags for word in ("--tag", tag)]
        host = ["--host", self._job["repository"]]
        command = self._restic("backup", "--json", *host, *words, *what)
        with (PLACE / "restic.out").open("w+") as out, (PLACE / "restic.err").open("w+") as err:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=out, stderr=err, env=self._environment
            )
            try:
                _feed(process, data)
            except BaseException:
                process.kill()
                raise
            finally:
                process.wait()
            if process.returncode:
                err.seek(0)
                raise Trouble(f"restic: {_last_line(err.read())}")
            out.seek(0)
            return _summary(out.read())


def _feed(restic: subprocess.Popen[bytes], data: Any) -> None:
    """Hand a stream over; restic learns of its end only if it came to a good one."""
    sink: Any = restic.stdin
    if isinstance(data, Directory):
        sink.close()
        restic.wait()
        return
    with Path(PLACE / "stream.err").open("w+b") as err:
        maker = subprocess.Popen(data.command, stdout=subprocess.PIPE, stderr=err)
        made: Any = maker.stdout
        try:
            while part := made.read1(COPY_SIZE):
                sink.write(part)
        except BrokenPipeError:  # restic has ended, and says why
            maker.kill()
        made.close()
        if maker.wait() and restic.poll() is None:
            err.seek(0)
            said = err.read().decode(errors="replace")
            raise Trouble(f"{data.command[0]}: {_last_line(said)}")
    with contextlib.suppress(BrokenPipeError):
        sink.close()


def _summary(text: str) -> dict[str, Any]:
    for line in reversed(text.splitlines()):
        with contextlib.suppress(ValueError):
            said = json.loads(line)
            if said.get("message_type") == "summary":
                return dict(said)
    raise Trouble("restic ended without a summary")


def _last_line(text: str) -> str:
    """What programs say last is why they stopped; passwords in addresses are left out."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines[-1] if lines else "it gave no reason")[:500]
