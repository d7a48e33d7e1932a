"""Networks from which an instance may be reached."""

import ipaddress
from collections.abc import Sequence

from coffer.errors import BadRequest


def check_cidrs(cidrs: Sequence[str]) -> None:
    """Accept IPv4 and IPv6 addresses and networks, each once.

    Raises:
        BadRequest: naming the entry.
    """
    for index, text in enumerate(cidrs):
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError as error:
            raise BadRequest(f"access.allowed_cidrs[{index}]: {error}") from error
    if len(set(cidrs)) != len(cidrs):
        raise BadRequest("access.allowed_cidrs: an entry is given twice")
