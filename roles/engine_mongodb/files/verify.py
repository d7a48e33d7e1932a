"""Proves that this MongoDB writes and reads, and takes none but verified connections.

`verify.py ADDRESS PORT NAME PROBE` prints what the probe says.
"""

from __future__ import annotations

import socket
import ssl
import struct
import subprocess
import sys

AUTHORITY = "/etc/mongodb/tls/ca.pem"
# The command {ping: 1} for the database admin, as a message without TLS.
_ELEMENTS = b"\x10ping\0\1\0\0\0" + b"\x02$db\0\6\0\0\0admin\0" + b"\0"
_DOCUMENT = struct.pack("<i", len(_ELEMENTS) + 4) + _ELEMENTS
PING = struct.pack("<iiiiIb", len(_DOCUMENT) + 21, 1, 0, 2013, 0, 0) + _DOCUMENT


def refuses_plain(address: str, port: int) -> bool:
    """Whether the server hangs up on a client that does not speak TLS."""
    with socket.create_connection((address, port), 5) as plain:
        plain.sendall(PING)
        try:
            return plain.recv(16) == b""
        except ConnectionResetError:
            return True


def main() -> None:
    """Exit with a sentence where something is not as it should be."""
    address, port, name, probe = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    if not refuses_plain(address, port):
        sys.exit(f"connections to {address}:{port} without TLS are allowed")
    context = ssl.create_default_context(cafile=AUTHORITY)
    try:
        with socket.create_connection((address, port), 5) as plain:
            context.wrap_socket(plain, server_hostname=name).close()
    except OSError as error:
        sys.exit(f"no TLS at {address}:{port} that {AUTHORITY} proves to be {name}: {error}")
    # The agent's own way, as the agent's user.
    print(subprocess.run(probe.split(), check=True, capture_output=True, text=True).stdout)


main()
