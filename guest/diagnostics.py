"""What the agent itself takes of the guest, in the words of Trove's diagnostics."""

from guest.files import read

STATUS = "/proc/self/status"
NAMES = {
    "Threads": "threads",
    "FDSize": "fdSize",
    "VmSize": "vmSize",
    "VmPeak": "vmPeak",
    "VmRSS": "vmRss",
    "VmHWM": "vmHwm",
}
"""Lines of proc(5)'s status, and what they are called; sizes in kB."""


def diagnostics(path: str = STATUS) -> "dict[str, int]":
    """Numbers by name; those that the kernel does not tell are left out."""
    found = {}
    for line in (read(path) or "").splitlines():
        key, _, rest = line.partition(":")
        number = rest.split(maxsplit=1)[0] if rest.split() else ""
        if key in NAMES and number.isdigit():
            found[NAMES[key]] = int(number)
    return found
