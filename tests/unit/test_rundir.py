"""What a run is given arrives in Ansible as it was, and never as a template."""

from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import is_trusted_as_template
from hypothesis import given
from hypothesis import strategies as st

from worker.rundir import Inputs, write_inputs

TEXTS = [*"NULL null ~ 123 0x10 1_0 010 true on no 1e3 2020-01-01 .inf = <<".split(), "", " a", "#"]
TEXTS += ["{{ 7 * 7 }}", "a: b", "- a", "'\"\\", "\n", "\u2028", "é🦀", "!unsafe x", "*a", "&a"]


def arrived(path: Path, variables: dict[str, Any], secrets: dict[str, Any]) -> tuple[Any, Any]:
    inputs = Inputs({"db1": variables}, {"run_source": ["db1"]})
    write_inputs(path, inputs, secrets)
    inventory = DataLoader().load_from_file(str(path / "inventory" / "hosts.yml"))
    found = dict(inventory["all"]["hosts"]["db1"])
    del found["ansible_ssh_common_args"]
    return found, DataLoader().load_from_file(str(path / "env" / "extravars"))


@pytest.mark.parametrize("text", TEXTS)
def test_texts_stay_texts_and_are_no_templates(tmp_path: Path, text: str) -> None:
    rows = {"name": text, "rows": [{"password": text, text: [text]}]}
    for found in arrived(tmp_path, rows, rows):
        assert found == rows
        password = found["rows"][0]["password"]
        assert not is_trusted_as_template(password)
        assert not is_trusted_as_template(found["name"])


@given(st.dictionaries(st.text(min_size=1), st.text() | st.integers() | st.booleans() | st.none()))
def test_anything_arrives(tmp_path_factory: pytest.TempPathFactory, wanted: dict[str, Any]) -> None:
    found, secrets = arrived(tmp_path_factory.mktemp("run"), {"rows": [wanted]}, {"row": wanted})
    assert (found["rows"], secrets["row"]) == ([wanted], wanted)
