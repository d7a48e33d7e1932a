"""`dbctl ca`: whose signature is on the instances' certificates."""

from __future__ import annotations

from dbctl import output
from dbctl.arguments import Subparsers, add_verb
from dbctl.context import Context


def add(nouns: Subparsers) -> None:
    """No verbs: there is only one."""
    add_verb(nouns, "ca", ca, "Print the CA certificate that instances are verified with (PEM).")


def ca(context: Context) -> None:
    """The PEM, or `{"ca": PEM}`."""
    pem = context.api.ca_certificate()
    if context.json:
        output.print_json({"ca": pem}, context.out)
    else:
        context.out.write(pem)
