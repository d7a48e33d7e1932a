"""What can be seen and done inside a real guest."""

import subprocess
from dataclasses import dataclass

from tests.roles.instance import Instance

DIRECTORY = "/var/lib/engine"
BOOT = "/proc/sys/kernel/random/boot_id"
FILL_MEMORY = "python3 -c 'x = bytearray({} << 20); print(len(x))'"


@dataclass(frozen=True)
class Inside:
    """A guest, at the address that its provider told."""

    instance: Instance
    address: str

    def shell(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the guest."""
        return self.instance.shell(self.address, command)

    def answers(self) -> bool:
        """Whether one can log in."""
        return self.shell("true").returncode == 0

    def boot(self) -> str:
        """Which boot of which init this is: another answer means a restart, none that it is off."""
        return self.shell(f"cat {BOOT}; cut -d' ' -f22 /proc/1/stat").stdout

    def size_of(self, path: str) -> int:
        """GiB of a file system, rounded up."""
        return -(-int(self.shell(f"df --output=size -k {path} | tail -1").stdout) // (1 << 20))

    def holds(self, memory: int) -> bool:
        """Whether a process can have so many MiB."""
        return self.shell(FILL_MEMORY.format(memory)).returncode == 0

    def write(self, word: str) -> None:
        """A word on root disk and data volume, on which it surely is then."""
        files = f"/root/word {DIRECTORY}/word"
        assert self.shell(f"echo {word} | tee {files} && sync {files}").returncode == 0

    def words(self) -> list[str]:
        """What root disk and data volume say, in this order; a disk without a word says nothing."""
        return self.shell(f"cat /root/word {DIRECTORY}/word").stdout.split()
