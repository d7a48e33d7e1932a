"""The commands in README and docs/ do what they are written down for."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.installation import REPOSITORY, SCRATCH, Installation

PAGES = [REPOSITORY / "docs/dbctl.md", REPOSITORY / "README.md"]
"""The first one asks for `db1` by its name after it was deleted: no other may be there before."""
PAGES += sorted(set((REPOSITORY / "docs").glob("*.md")) - set(PAGES))
COMMAND = re.compile(r"^\$ (.+)$", re.MULTILINE)
NOT_HERE = ("make ", "editor ")
"""What these tests are themselves a part of, and what waits for a person."""
STAND_INS = ("mariadb", "mysql", "mongosh", "pass")
"""Programs that would ask a person: the command that starts them is run, they only succeed."""


def commands(page: Path) -> list[str]:
    """Lines after a prompt in the page's console blocks."""
    blocks = re.findall(r"```console\n(.*?)```", page.read_text(), re.DOTALL)
    lines = [line for block in blocks for line in COMMAND.findall(block)]
    return [line for line in lines if not line.startswith(NOT_HERE)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_of_a_page(coffer: Installation, tmp_path: Path, page: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in STAND_INS:
        (programs / name).write_text("#!/bin/sh\ncat >/dev/null\n")
        (programs / name).chmod(0o755)
    (tmp_path / ".local/share/bash-completion/completions").mkdir(parents=True)
    told = coffer.environment() | {
        "HOME": str(tmp_path),
        "COFFER_CONFIG": str(SCRATCH / "dbctl.toml"),
        "COFFER_URL": coffer.api.url,
        "COFFER_TOKEN": coffer.api.token,
        "PATH": f"{programs}:{coffer.program('x').parent}:{os.environ['PATH']}",
    }
    where = tmp_path if "playbook" not in page.name else REPOSITORY
    if page.name != "dbctl.md" and any(" db1" in line for line in commands(page)):
        coffer.create("db1")
    for line in commands(page):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line],
            env=told,
            cwd=where,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        expected = EXPECTED.get(line, 0)
        assert done.returncode == expected, f"{line}\n{done.stdout}\n{done.stderr}"


EXPECTED = {
    # The instance is gone by then, and there is nothing to abort or retry.
    "dbctl operation retry db1": 1,
    "dbctl operation abort db1": 1,
}
