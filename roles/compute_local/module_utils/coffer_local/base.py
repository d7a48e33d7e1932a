"""The stock image of a Debian suite: systemd, an SSH server, Python; nothing that idles."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .command import run
from .guest import AUTHORIZED, HOST_KEY, SEED
from .image import version_of

FORMAT = 1  # raise it when the code below makes another image of the same inputs
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SOURCES = """\
Types: deb
URIs: {mirror}
Suites: {suite} {suite}-updates
Components: main
Signed-By: {keyring}

Types: deb
URIs: {security_mirror}
Suites: {suite}-security
Components: main
Signed-By: {keyring}
"""
SSHD = f"""\
HostKey {SEED}/{HOST_KEY}
AuthorizedKeysFile {SEED}/{AUTHORIZED}
AuthenticationMethods publickey
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UseDNS no
X11Forwarding no
PrintMotd no
"""
# Sessions run inside this unit: one that runs out of memory must not take the server with it.
SSH_UNIT = "[Service]\nOOMPolicy=continue\nRestart=always\n"
JOURNALD = "[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\n"
MASKED = [
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "console-getty.service",
    "container-getty@.service",
    "dev-hugepages.mount",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "getty@.service",
    "getty.target",
    "ldconfig.service",
    "proc-sys-fs-binfmt_misc.automount",
    "serial-getty@.service",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-config.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "systemd-binfmt.service",
    "systemd-firstboot.service",
    "systemd-hwdb-update.service",
    "systemd-journald-audit.socket",
    "systemd-logind.service",
    "systemd-modules-load.service",
    "systemd-networkd.service",
    "systemd-networkd.socket",
    "systemd-pcrphase.service",
    "systemd-pcrphase-sysinit.service",
    "systemd-random-seed.service",
    "systemd-remount-fs.service",
    "systemd-resolved.service",
    "systemd-sysctl.service",
    "systemd-timesyncd.service",
    "systemd-udev-settle.service",
    "systemd-udev-trigger.service",
    "systemd-udevd-control.socket",
    "systemd-udevd-kernel.socket",
    "systemd-udevd.service",
    "systemd-update-utmp.service",
    "systemd-update-utmp-runlevel.service",
]
UNCLEAN = [
    "etc/ssh/ssh_host_*",
    "root/.ansible",
    "tmp/*",
    "var/cache/apt/*",
    "var/lib/apt/lists/*",
    "var/lib/dbus/machine-id",
    "var/lib/systemd/random-seed",
    "var/tmp/*",
]
UNNEEDED = ("usr/share/man", "usr/share/locale", "usr/share/info")
DPKG = "".join(f"path-exclude=/{path}/*\n" for path in UNNEEDED)
APT = 'APT::Install-Recommends "false";\nAcquire::Languages "none";\n'


@dataclass(frozen=True)
class Base:
    """Inputs of a stock image. apt_conf: text for apt.conf.d; certificates: name -> PEM."""

    suite: str
    packages: list[str]
    mirror: str
    security_mirror: str
    apt_conf: str
    certificates: dict[str, str]
    serial: str

    @property
    def name(self) -> str:
        return f"debian-{self.suite}"

    @property
    def sources(self) -> str:
        return SOURCES.format(**asdict(self), keyring=KEYRING)

    @property
    def files(self) -> dict[str, str]:
        """What the image holds beside its packages: path -> text."""
        authorities = "usr/local/share/ca-certificates"
        return {
            "etc/apt/sources.list.d/debian.sources": self.sources,
            "etc/apt/apt.conf.d/90coffer": APT + self.apt_conf.rstrip() + "\n",
            "etc/dpkg/dpkg.cfg.d/90coffer": DPKG,
            "etc/ssh/sshd_config.d/00-coffer.conf": SSHD,
            "etc/systemd/system/ssh.service.d/coffer.conf": SSH_UNIT,
            "etc/systemd/journald.conf.d/coffer.conf": JOURNALD,
            "etc/fstab": "",
            **{f"{authorities}/{name}": text for name, text in self.certificates.items()},
        }

    @property
    def version(self) -> str:
        inputs: dict[str, Any] = {**asdict(self), "format": FORMAT, "files": self.files}
        return version_of(self.name, {**inputs, "masked": MASKED})


def certificates_in(directory: str) -> dict[str, str]:
    """The site's own authorities: *.crt of a directory, as Debian keeps them."""
    if not directory:
        return {}
    return {path.name: path.read_text() for path in sorted(Path(directory).glob("*.crt"))}


def build(base: Base, place: Path) -> Path:
    """Make the tree below `place`, an empty directory of ours; return it. About 30 s."""
    tree, sources, conf = place / "tree", place / "debian.sources", place / "apt.conf"
    sources.write_text(base.sources)
    conf.write_text(base.files["etc/apt/apt.conf.d/90coffer"])
    run(
        *("mmdebstrap", "--variant=minbase", "--mode=root", "--format=directory", "--quiet"),
        f"--include={','.join(base.packages)}",
        f"--aptopt={conf}",
        *(f"--dpkgopt=path-exclude=/{path}/*" for path in UNNEEDED),
        *(base.suite, str(tree), str(sources)),
        timeout=1800,
    )
    _dress(base, tree)
    clean(tree)
    return tree


def _dress(base: Base, tree: Path) -> None:
    for path in (tree / "etc/apt/sources.list.d").iterdir():
        path.unlink()
    for name, text in base.files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for unit in MASKED:
        mask = tree / "etc/systemd/system" / unit
        mask.unlink(missing_ok=True)
        mask.symlink_to("/dev/null")
    for mountpoint in (SEED, "/etc/coffer"):
        (tree / mountpoint.lstrip("/")).mkdir(parents=True, exist_ok=True)
    for folder in ("apt/apt.conf.d", "dpkg/dpkg.cfg.d"):
        (tree / "etc" / folder / "99mmdebstrap").unlink(missing_ok=True)
    target = tree / "etc/systemd/system/default.target"
    target.symlink_to("/lib/systemd/system/multi-user.target")
    run("chroot", str(tree), "update-ca-certificates")


def clean(tree: Path) -> None:
    """What must not be the same in two guests, and what only takes room."""
    (tree / "etc/machine-id").write_text("")
    for pattern in UNCLEAN:
        for path in tree.glob(pattern):
            _remove(path)
    for path in (tree / "var/log").rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.write_bytes(b"")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
