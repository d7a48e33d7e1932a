"""An installation whose records and logs lie on a disk that a test can fill."""

import shutil
import subprocess
from pathlib import Path

from tests.e2e.host import LOGS, NAME, STATE
from tests.e2e.installation import Installation

SMALL_DISK = Path("/run", f"{NAME}-disk")
SIZE = "64m"


class OnSmallDisk(Installation):
    """Everything else lies where it does in other installations."""

    def make_room(self) -> None:
        """Mount the disk, and lead there what is to lie on it."""
        SMALL_DISK.mkdir()
        options = f"size={SIZE},mode=0777"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, NAME, SMALL_DISK], check=True)
        (SMALL_DISK / "log").mkdir()
        LOGS.symlink_to(SMALL_DISK / "log")
        STATE.mkdir(mode=0o755)
        (SMALL_DISK / f"{NAME}.db").touch()
        (STATE / f"{NAME}.db").symlink_to(SMALL_DISK / f"{NAME}.db")

    def purge(self) -> None:
        """Take it off the host, and the disk with it."""
        super().purge()
        if SMALL_DISK.is_mount():
            subprocess.run(["umount", SMALL_DISK], check=True)
        shutil.rmtree(SMALL_DISK, ignore_errors=True)
        LOGS.unlink(missing_ok=True)
