# Follows binlog.py. Reads binary logs (tar archives, one after the other) on its input and plays
# them into the data of a server that nobody else can reach: what was committed before the moment.
#
# The argument is a JSON object: volume, unit, to (unix seconds; null means all), and programs
# server, client and binlog.
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PRIVATE = Path("/run/coffer-replay")
PACKET = "--max-allowed-packet=1G"
"""Rows of the log are half as long again as statements."""
PLACES = ("xtrabackup_binlog_info", "mariadb_backup_binlog_info")
"""Where a copy of files says which log it ends in, and where there."""


class Private:
    """The server while it plays, and a client that takes statements."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told
        shutil.rmtree(PRIVATE, ignore_errors=True)
        PRIVATE.mkdir(mode=0o700)
        shutil.chown(PRIVATE, "mysql", "mysql")
        self._server = subprocess.Popen([
            told["programs"]["server"], "--defaults-file=/etc/mysql/coffer.cnf", "--user=mysql",
            "--skip-networking", "--skip-log-bin", "--event-scheduler=OFF", PACKET,
            f"--socket={PRIVATE}/socket", f"--pid-file={PRIVATE}/pid", f"--log-error={PRIVATE}/log",
        ])  # fmt: skip

    def client(self, *more: str, **options: Any) -> "subprocess.Popen[bytes]":
        """A client of it."""
        login = ["--no-defaults", "--user=root", f"--socket={PRIVATE}/socket", PACKET]
        return subprocess.Popen([self._told["programs"]["client"], *login, *more], **options)

    def wait(self) -> None:
        """Until it answers; exits with its last words if it ends instead."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        while self.client("--execute=SELECT 1", **quiet).wait():
            if self._server.poll() is not None:
                lines = (PRIVATE / "log").read_text().splitlines()
                sys.exit("the server did not start: " + " / ".join(lines[-3:]))
            time.sleep(0.1)

    def end(self) -> None:
        """Stop it; its files are whole then."""
        self._server.send_signal(signal.SIGTERM)
        self._server.wait()
        shutil.rmtree(PRIVATE, ignore_errors=True)


def first_place(data: Path) -> tuple[str, int] | None:
    """The log and position where the copy ends, for servers that know no transaction's number."""
    for name in PLACES:
        with contextlib.suppress(OSError):
            log, position = (data / name).read_text().split()[:2]
            return log, int(position)
    return None


def play(path: Path, sink: Any, told: dict[str, Any], begin: int | None) -> bool:
    """Hand a log over to the client; False when the moment was reached in it."""
    end = None if told["to"] is None else end_before(path, told["to"])  # noqa: F821
    if end is not None and begin is not None and end <= begin:
        return False
    words = [*([f"--start-position={begin}"] if begin else []),
             *([f"--stop-position={end}"] if end else [])]  # fmt: skip
    done = subprocess.run([told["programs"]["binlog"], "--no-defaults", *words, str(path)],
                          stdout=sink, check=False)  # fmt: skip
    if done.returncode:
        sys.exit(f"{path.name} cannot be read")
    return end is None


def logs(place: Path) -> Iterator[Path]:
    """Each log of the input, which is removed when the next one is asked for."""
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|", ignore_zeros=True) as archive:
        for member in archive:
            source = archive.extractfile(member)
            if source is None:
                continue
            path = place / Path(member.name).name
            with path.open("wb") as target:
                shutil.copyfileobj(source, target)
            yield path
            path.unlink()


def feed(sink: Any, told: dict[str, Any], place: Path) -> int:
    """How many logs were played."""
    begin = first_place(Path(told["volume"]) / "data")
    number, goes_on = 0, True
    for path in logs(place):
        if not goes_on or (begin and path.name < begin[0]):
            continue
        number += 1
        goes_on = play(path, sink, told, begin[1] if begin and path.name == begin[0] else None)
    return number


def main() -> None:
    """Play, and stop the server whatever happens."""
    told = json.loads(sys.argv[1])
    place = Path(told["volume"]) / ".replay"
    subprocess.run(["systemctl", "stop", told["unit"]], check=True)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700)
    server = Private(told)
    try:
        server.wait()
        client = server.client("--binary-mode", stdin=subprocess.PIPE)
        try:
            number = feed(client.stdin, told, place)
        finally:
            client.stdin.close()  # type: ignore[union-attr]
            failed = client.wait()
        if failed:
            sys.exit("the server refused what was logged")
    finally:
        server.end()
        shutil.rmtree(place, ignore_errors=True)
    os.sync()
    print(f"{number} logs were played")


main()
