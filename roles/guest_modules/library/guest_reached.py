"""Documentation of the action plugin of the same name."""

DOCUMENTATION = r"""
module: guest_reached
short_description: Wait until a guest takes commands
description:
  - Tries many times a second, so that a guest that has just booted is not waited for longer than
    it takes; M(ansible.builtin.wait_for_connection) looks once a second and starts Python there.
  - The connection is the one that later tasks use, so the guest has proved its host key.
options:
  timeout:
    description: How long, in seconds.
    type: int
    default: 60
author: Coffer
"""
RETURN = ""
