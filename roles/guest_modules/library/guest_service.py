"""Documentation of the action plugin of the same name."""

DOCUMENTATION = r"""
module: guest_service
short_description: Start or stop a systemd unit in the guest
description:
  - Does in one round what M(ansible.builtin.systemd_service) does in several.
options:
  name:
    description: The unit.
    type: str
    required: true
  state:
    description: V(started) leaves a unit that runs alone, V(stopped) one that does not run.
    type: str
    choices: [started, restarted, stopped]
    default: started
author: Coffer
"""
RETURN = ""
