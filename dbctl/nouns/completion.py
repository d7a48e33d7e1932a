"""`dbctl completion SHELL`."""

from __future__ import annotations

from dbctl import output
from dbctl.arguments import Subparsers, add_verb
from dbctl.context import Context
from dbctl.errors import DbctlError

EPILOG = """\
bash:  dbctl completion bash > ~/.local/share/bash-completion/completions/dbctl
zsh:   dbctl completion zsh > ~/.zfunc/_dbctl    (with ~/.zfunc in fpath)
"""


def add(nouns: Subparsers) -> None:
    """Which shell."""
    text = "Print completions for a shell."
    parser = add_verb(nouns, "completion", completion, text, EPILOG)
    parser.add_argument("shell", choices=("bash", "zsh"))


def completion(context: Context) -> None:
    """The script, or `{"completion": script}`."""
    from dbctl.parser import build_parser

    try:
        import shtab
    except ImportError as error:
        raise DbctlError("completions need the Python package shtab") from error
    script = shtab.complete(build_parser(), shell=context.args.shell)
    if context.json:
        output.print_json({"completion": script}, context.out)
    else:
        context.out.write(script)
