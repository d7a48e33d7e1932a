"""The frame of the provider's modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .command import CommandFailed
from .settings import SETTINGS, Settings, checked_instance
from .steps import StepFailed

Body = Callable[[AnsibleModule, Settings], dict[str, Any]]


def main(arguments: dict[str, Any], body: Body, **options: Any) -> None:
    """Run a module: errors of the host end as one sentence, never as a traceback."""
    own = {"settings": {"type": "dict", "required": True, "options": SETTINGS}, **arguments}
    module = AnsibleModule(argument_spec=own, supports_check_mode=True, **options)
    try:
        settings = Settings.of(module.params["settings"])
        if module.params.get("instance") is not None:
            checked_instance(module.params["instance"])
        result = body(module, settings)
    except (CommandFailed, StepFailed, ValueError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)
