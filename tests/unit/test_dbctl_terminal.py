"""dbctl as a process: terminal, signals, start-up, man page, completions."""

from __future__ import annotations

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.dbctl_documents import TOKEN, steps
from tests.unit.dbctl_server import Script, Server

ROOT = Path(__file__).parents[2]
DBCTL = [sys.executable, "-m", "dbctl"]
CREATE = [*DBCTL, "instance", "create", "mysql", "db1", "--flavor", "small", "--volume", "1"]


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def environment(server: Server, tmp_path: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    ours = {"COFFER_URL": server.url, "COFFER_TOKEN": TOKEN, "PYTHONPATH": str(ROOT)}
    return kept | ours | {"TERM": "xterm", "XDG_CACHE_HOME": str(tmp_path)}


def on_terminal(command: list[str], environment: dict[str, str], *talk: tuple[str, str]) -> str:
    """What a terminal shows; `talk` has prompts and what to type when each has appeared."""
    ours, theirs = pty.openpty()
    # A session of its own: the terminal of whoever runs the tests is not to be asked.
    with subprocess.Popen(
        command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        shown, waiting = b"", list(talk)
        while True:
            try:
                shown += os.read(ours, 65536)
            except OSError:
                break
            if waiting and waiting[0][0].encode() in shown:
                os.write(ours, waiting.pop(0)[1].encode() + b"\n")
        process.wait(timeout=10)
    os.close(ours)
    return shown.decode()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupting_detaches(
    server: Server, environment: dict[str, str], number: int, code: int
) -> None:
    server.coffer.next_script = Script(end=None)
    with subprocess.Popen(
        [*CREATE, "--user", "app"],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 10
        while not any("after=8" in path for _, path, _ in server.coffer.requests):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(number)
        try:
            out, err = process.communicate(timeout=10)
        finally:
            process.kill()
    operation = server.coffer.operations[0]
    assert process.returncode == code
    assert operation["state"] == "running"
    assert out.startswith("user      app\npassword  ")
    if number == signal.SIGINT:
        assert f"dbctl operation watch {operation['id']}" in err
    assert "Traceback" not in err


def test_live_progress_collapses_what_is_finished(
    server: Server, environment: dict[str, str]
) -> None:
    server.coffer.next_script = Script(events=steps(("ok", "changed", "skipped", "ok")))
    shown = on_terminal([*CREATE, "--user", "app"], environment)
    last = shown.split("instance create db1")[-2]
    assert re.search(r"✓.*compute_local +2 steps +1.0 s", last)
    assert re.search(r"✓.*engine_mysql +1 step +0.5 s", last)
    assert "succeeded" in shown
    assert shown.rstrip().splitlines()[-1].startswith("mysql://app:")
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1


def test_no_color_and_ascii_terminals(server: Server, environment: dict[str, str]) -> None:
    plain = {"NO_COLOR": "1", "PYTHONIOENCODING": "ascii:replace", "PYTHONUTF8": "0"}
    server.coffer.next_script = Script(
        events=steps(("ok", "failed")), end="failed", failing_task="Wait for its SSH", reason="no"
    )
    shown = on_terminal(CREATE, environment | plain)
    assert not re.search(r"\x1b\[3[0-9]", shown)
    assert re.search(r"x +compute_local +Wait for its SSH", shown)
    assert "✗" not in shown


def test_delete_asks_on_a_terminal(server: Server, environment: dict[str, str]) -> None:
    server.coffer.add_instance("db1")
    shown = on_terminal([*DBCTL, "instance", "delete", "db1"], environment, ("[y/N]", "n"))
    assert "Delete db1" in shown
    assert "nothing was done" in shown
    assert server.coffer.instances
    on_terminal([*DBCTL, "instance", "delete", "db1"], environment, ("[y/N]", "y"))
    assert not server.coffer.instances


def test_password_prompt(server: Server, environment: dict[str, str]) -> None:
    command = [*CREATE, "--user", "app", "--password-prompt", "--no-wait"]
    shown = on_terminal(command, environment, ("Password:", "typed"), ("Again:", "typed"))
    assert "typed" not in shown
    (body,) = [body for verb, _, body in server.coffer.requests if verb == "POST"]
    assert body["instance"]["users"][0]["password"] == "typed"


def test_tables_on_a_terminal(server: Server, environment: dict[str, str]) -> None:
    server.coffer.add_instance("[bold]db1")
    shown = on_terminal([*DBCTL, "instance", "list"], environment | {"COLUMNS": "160"})
    assert "[bold]db1" in shown
    assert "──" in shown


def test_help_starts_quickly(environment: dict[str, str]) -> None:
    """Nothing heavy is loaded for `--help`: seen by modules, since clocks lie on busy machines."""
    code = "import sys; from dbctl.parser import build_parser; build_parser(); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"rich", "urllib3", "ssl", "http.client", "tomllib", "shtab"} & set(loaded)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion(environment: dict[str, str], shell: str) -> None:
    command = [*DBCTL, "completion", shell]
    script = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "--password-file" in script.stdout
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script.stdout, text=True, check=True)


def test_man_page(environment: dict[str, str]) -> None:
    code = "import sys; from argparse_manpage.cli import main; sys.exit(main())"
    arguments = [
        "--module",
        "dbctl.parser",
        "--function",
        "build_parser",
        "--project-name",
        "coffer",
    ]
    page = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "dbctl instance create" in page
    assert "COFFER_URL" in page


def test_a_reader_that_leaves_early_is_no_error(
    server: Server, environment: dict[str, str]
) -> None:
    for number in range(60):
        server.coffer.add_instance(f"db{number}" + "x" * 2000)
    command = f"{' '.join(DBCTL)} instance list | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env=environment, capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
