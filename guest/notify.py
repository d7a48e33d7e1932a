"""sd_notify(3) without a library."""

import os
import socket


def notify(*lines: str) -> None:
    """Tell systemd, for instance `READY=1`; does nothing outside a unit of Type=notify."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        try:
            channel.sendto("\n".join(lines).encode(), socket.MSG_DONTWAIT, address)
        except OSError:
            return  # systemd is busy or being restarted: reports go on, the next word will arrive
