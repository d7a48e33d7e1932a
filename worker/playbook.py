"""One run of one playbook through ansible-runner."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ansible_runner

from coffer.paths import ANSIBLE_CONFIG, PLAYBOOKS
from worker.events import Recorder
from worker.leftovers import MARK
from worker.warmth import search_path
from worker.watch import Watch


@dataclass(frozen=True)
class Result:
    """How a run ended; `facts` are what its `set_stats` left under `coffer_facts`."""

    succeeded: bool
    facts: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None
    failing_task: str | None = None
    died: bool = False
    """ansible-playbook was killed: the run has no end of its own."""


Player = Callable[[str, Path, Recorder, Watch], Result]
"""What runs a playbook by its name, with the inputs in a directory."""
_KILLED = (None, 254)
"""Codes of a run that was killed: by a signal, and what the warm Ansible says then."""
_LAST_LINES = 10


def play(playbook: str, directory: Path, recorder: Recorder, watch: Watch) -> Result:
    """Run `playbooks/<playbook>.yml` with the inputs that lie in `directory`."""
    runner = ansible_runner.run(
        private_data_dir=str(directory),
        playbook=str(PLAYBOOKS / f"{playbook}.yml"),
        envvars=_environment(directory, directory.name),
        event_handler=recorder.handle,
        cancel_callback=watch.must_stop,
        quiet=True,
    )
    if runner.status == "successful":
        return Result(True, recorder.facts)
    return Result(
        False,
        recorder.facts,
        recorder.reason or recorder.redact(_last_words(runner)),
        recorder.failing_task,
        died=runner.rc in _KILLED and not watch.must_stop(),
    )


def _last_words(runner: Any) -> str:
    """Of a run that ended before any task of it could fail."""
    with runner.stdout as stream:
        lines = stream.read().strip().splitlines()
    said = "\n".join(lines[-_LAST_LINES:])
    return f"ansible-playbook ended with code {runner.rc}:\n{said}"


def _environment(directory: Path, operation_id: str) -> dict[str, str]:
    """Variables of the ansible-playbook process: nothing secret, ansible-runner keeps a copy."""
    return {
        MARK: operation_id,
        "ANSIBLE_CONFIG": str(ANSIBLE_CONFIG),
        "ANSIBLE_HOME": str(directory / "ansible"),
        "ANSIBLE_LOCAL_TEMP": str(directory / "ansible" / "tmp"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(directory / "cp"),
        "ANSIBLE_FORCE_COLOR": "0",
        "PATH": search_path(),
        "PYTHONWARNINGS": "ignore",
    }
