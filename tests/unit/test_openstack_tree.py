"""Disks of stock images grow on this host, with partitions or without."""

import subprocess
from pathlib import Path
from types import ModuleType

import pytest

MIB = 1024**2
TABLES = {
    # as Debian's images have them: the root file system is number 1, and the last on the disk
    "gpt": "label: gpt\ndisk14: size=3MiB\ndisk15: size=8MiB\ndisk1: start=24576\n",
    "dos": "label: dos\ndisk1: size=8MiB\ndisk2: start=24576\n",
}


def disk(path: Path, table: str) -> None:
    with path.open("wb") as file:
        file.truncate(32 * MIB)
    if table:
        subprocess.run(["sfdisk", "-q", str(path)], input=table, text=True, check=True)


def test_a_disk_without_partitions_is_its_file_system(
    tree_module: ModuleType, tmp_path: Path
) -> None:
    made = tree_module.Tree(tmp_path)
    disk(made.disk, "")
    assert made._grow(64 * MIB) == (0, 64 * MIB)
    assert made._grow(16 * MIB) == (0, 64 * MIB)
    assert made.disk.stat().st_size == 64 * MIB


@pytest.mark.parametrize("label", TABLES)
def test_the_root_partition_takes_what_the_disk_has(
    tree_module: ModuleType, tmp_path: Path, label: str
) -> None:
    made = tree_module.Tree(tmp_path)
    disk(made.disk, TABLES[label])
    before = made._grow(0)
    begin, length = made._grow(64 * MIB)
    assert begin == before[0]
    assert 0 <= 64 * MIB - (begin + length) < MIB
    told = subprocess.run(
        ["sfdisk", "--verify", str(made.disk)], capture_output=True, text=True, check=True
    )
    assert "No errors detected" in told.stdout, told
    assert len(made._table()["partitions"]) == TABLES[label].count("disk")
