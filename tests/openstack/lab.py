"""The lab: a real OpenStack on this machine, brought up by scripts that lie beside the checkout.

python -m tests.openstack.lab up      # the cloud, a way out for its guests, stock images
python -m tests.openstack.lab down    # nothing is left of it
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

from tests.openstack.cloud import LAB, PREPARED, SUITES, cloud_under_test

SCRIPTS = Path(
    os.environ.get("COFFER_LAB_SCRIPTS", Path(__file__).parents[3] / "shared/openstack-lab")
)
TABLE = "coffer_oslab"
NETWORK = "10.214.0.0/24"
DEVICE = Path("/proc/net/route").read_text().splitlines()[1].split()[0]
"""Of the default route."""
WAY_OUT = f"""table ip {TABLE} {{
  chain out {{
    type nat hook postrouting priority 100;
    oifname "{DEVICE}" ip saddr {NETWORK} masquerade
    oifname "{DEVICE}" tcp flags syn tcp option maxseg size set rt mtu
  }}
}}
"""
"""Only where packets leave this host: they pass here on the lab's bridge too."""
PLAIN, WITH_AVX = "cpu_mode = none", "cpu_mode = custom\ncpu_models = SandyBridge"


def up() -> None:
    """What is there already is left as it is."""
    if not (SCRIPTS / "up.sh").exists():
        print(f"no lab: its scripts are not in {SCRIPTS} (COFFER_LAB_SCRIPTS)", file=sys.stderr)
        return
    LAB.mkdir(parents=True, exist_ok=True)
    start()
    _let_mongodb_run()
    _let_out()
    connection = cloud_under_test().connect()
    images = [(f"stock-{suite}", suite, "") for suite in SUITES]
    for name, suite, package in [*images, (PREPARED, SUITES[0], "xfsprogs")]:
        build(name, suite, package)
        upload(connection, name)


def start() -> None:
    """Whatever of it does not run."""
    _run("up.sh", "--no-image", API="10.214.0.1")


def _let_mongodb_run() -> None:
    """It needs AVX, which the processors that the lab's guests have do not know."""
    settings = LAB / "etc" / "nova" / "nova.conf"
    text = settings.read_text()
    if PLAIN not in text:
        return
    settings.write_text(text.replace(PLAIN, WITH_AVX))
    pid_file, log = LAB / "run" / "nova-compute.pid", LAB / "log" / "nova-compute.log"
    old = psutil.Process(int(pid_file.read_text()))
    old.terminate()
    old.wait(60)
    with log.open("ab") as stream:
        new = subprocess.Popen(
            ["nova-compute", "--config-file", str(settings)],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    pid_file.write_text(f"{new.pid}\n")


def down() -> None:
    """Guests, state and network of the lab."""
    subprocess.run(["nft", "delete", "table", "ip", TABLE], check=False, capture_output=True)
    _run("down.sh", "--wipe")
    (LAB / "clouds.yaml").unlink(missing_ok=True)  # tests would look for a cloud


def _let_out() -> None:
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1\n")
    subprocess.run(["nft", "delete", "table", "ip", TABLE], check=False, capture_output=True)
    subprocess.run(["nft", "-f", "-"], input=WAY_OUT, text=True, check=True)


def build(name: str, suite: str, package: str) -> None:
    """A Debian without a database, as clouds have it, and perhaps one more package."""
    if not (LAB / "img" / f"{name}.qcow2").exists():
        _run("build-image.sh", SUITE=suite, DB=package, NAME=name, SIZE="1500M")


def upload(connection: Any, name: str) -> None:
    """The image with kernel and initial ramdisk, as the lab boots it."""
    if connection.image.find_image(name):
        return
    parts = [
        _put(connection, f"{name}-kernel", LAB / "img" / f"{name}-vmlinuz", "aki", "aki"),
        _put(connection, f"{name}-initrd", LAB / "img" / f"{name}-initrd.img", "ari", "ari"),
    ]
    line = (LAB / "img" / f"{name}-cmdline").read_text().strip()
    properties = {
        "kernel_id": parts[0],
        "ramdisk_id": parts[1],
        "hw_disk_bus": "virtio",
        "hw_vif_model": "virtio",
        "hw_rng_model": "virtio",
        "hw_machine_type": "pc",
        "os_command_line": line,
    }
    _put(connection, name, LAB / "img" / f"{name}.qcow2", "qcow2", "bare", **properties)


def _put(connection: Any, name: str, path: Path, disk: str, container: str, **more: str) -> str:
    with path.open("rb") as stream:
        made = connection.image.create_image(
            name, disk_format=disk, container_format=container, data=stream, **more
        )
    return str(made.id)


def _run(script: str, *arguments: str, **variables: str) -> None:
    """Through its shell: the scripts need not be executable."""
    command = ["bash", str(SCRIPTS / script), *arguments]
    subprocess.run(command, check=True, env={**os.environ, "OSLAB": str(LAB), **variables})


if __name__ == "__main__":
    {"up": up, "down": down}[sys.argv[1]]()
