"""Makes one backup of this guest's engine: `backup.py run`, `backup.py release`.

`source.py` beside it knows the engine; this knows restic, the gateway and the volume's room. What
it did, or why it did not, it leaves in result.json.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

PLACE = Path(__file__).parent
CACHE = "/var/cache/coffer-restic"
sys.path.insert(0, str(PLACE))

import source  # type: ignore[import-not-found]
from common import Directory, Trouble

RESERVE = 0.05
"""Share of the volume that a backup leaves to the engine."""
COPY_SIZE = 1 << 20


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
        """See that the gateway answers; make the repository if there is none.

        Raises:
            Trouble: the gateway cannot be reached, or refuses.
        """
        if self._exists():
            return
        done = subprocess.run(self._restic("init"), capture_output=True, text=True,
                              env=self._environment, timeout=300, check=False)  # fmt: skip
        if done.returncode:
            raise Trouble(f"the repository could not be made: {_last_line(done.stderr)}")

    def _exists(self) -> bool:
        request = urllib.request.Request(
            f"https://{self._path}config", headers={"Authorization": f"Basic {self._token}"}
        )
        trust = ssl.create_default_context(cafile=self._ca)
        try:
            with urllib.request.urlopen(request, timeout=20, context=trust):  # noqa: S310
                return True
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return False
            raise Trouble(f"the gateway of the backups says {error.code} {error.reason}") from None
        except OSError as error:
            raise Trouble(f"the gateway of the backups cannot be reached: {error}") from None

    def _restic(self, *arguments: str) -> list[str]:
        return ["restic", "--cacert", self._ca, *arguments]

    def save(self, data: Any) -> dict[str, Any]:
        """Back a directory or a stream up; restic's summary.

        Raises:
            Trouble: with what restic, or who makes the stream, said.
        """
        tags = ["--host", self._job["repository"], "--tag", self._job["id"]]
        what = (
            [str(data.path)]
            if isinstance(data, Directory)
            else ["--stdin", "--stdin-filename", data.name]
        )
        command = self._restic("backup", "--json", *tags, *what)
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


def check_room(job: dict[str, Any]) -> None:
    """Refuse to begin what would fill the volume.

    Raises:
        Trouble: with both sizes.
    """
    needed = source.needed(job)
    if not needed:
        return
    volume = os.statvfs(job["volume"])
    free = int(volume.f_bavail * volume.f_frsize - RESERVE * volume.f_blocks * volume.f_frsize)
    if needed > free:
        raise Trouble(
            f"a {job['method']} backup needs {needed >> 20} MiB on the volume beside the data, and "
            f"{max(free, 0) >> 20} MiB may be used: grow the volume, or ask for another method"
        )


def make(job: dict[str, Any]) -> dict[str, Any]:
    """The whole backup; what is known of it afterwards."""
    began = time.monotonic()
    source.release(job)
    repository = Repository(job)
    repository.open()
    check_room(job)
    with source.take(job) as data:
        summary = repository.save(data)
    return {
        "snapshot": summary["snapshot_id"],
        "size": summary["total_bytes_processed"],
        "stored": summary["data_added"],
        "seconds": round(time.monotonic() - began, 2),
        "details": {
            "kind": "directory" if isinstance(data, Directory) else "stream",
            "path": str(data.path) if isinstance(data, Directory) else f"/{data.name}",
            **data.facts,
        },
    }


def run(job: dict[str, Any]) -> None:
    """Make the backup and leave word of it."""
    try:
        result = make(job)
    except Trouble as trouble:
        result = {"error": str(trouble)}
    except Exception as error:
        result = {"error": f"{type(error).__name__}: {error}"}
    new = PLACE / "result.new"
    new.write_text(json.dumps(result))
    new.replace(PLACE / "result.json")


def main() -> None:
    """`run` by the unit, `release` by systemd when that has ended, in whatever way."""
    job = json.loads((PLACE / "job.json").read_text())
    if sys.argv[1:] == ["release"]:
        source.release(job)
    else:
        run(job)


if __name__ == "__main__":
    main()
