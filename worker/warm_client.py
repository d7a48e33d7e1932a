"""What ansible-runner starts in place of ansible-playbook when a warm Ansible is at hand.

It hands its arguments, environment, directory and standard streams to the warm process over a
socket and ends with the code that comes back. Where nobody listens it becomes ansible-playbook
itself: the same playbook, only slower to start. The first two lines that it is run with set SOCKET
and PROGRAM; it imports as little as it can, for its own start is part of every run.
"""

import array
import json
import os
import socket
import sys


def hand_over(path: str, program: str) -> int:
    """Run `program` with this process's arguments through the warm process at `path`."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(path)
    except OSError:
        os.execv(program, [program, *sys.argv[1:]])  # noqa: S606
    cwd = os.getcwd()  # noqa: PTH109  pathlib takes longer to import than all the rest
    document = json.dumps(
        {"argv": [program, *sys.argv[1:]], "environment": dict(os.environ), "cwd": cwd}
    ).encode()
    streams = array.array("i", [0, 1, 2])
    connection.sendmsg(
        [len(document).to_bytes(4, "big")],
        [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams.tobytes())],
    )
    connection.sendall(document)
    code = connection.recv(1)
    return code[0] if code else 254
