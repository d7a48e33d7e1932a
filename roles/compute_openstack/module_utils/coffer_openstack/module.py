"""The frame of the provider's modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .errors import CLOUD_ERRORS, said
from .settings import SETTINGS, Settings, checked_instance
from .site import Site, connect
from .steps import StepFailed

Body = Callable[[AnsibleModule, Site], dict[str, Any]]


def main(arguments: dict[str, Any], body: Body) -> None:
    """Run a module: what the cloud refuses ends as its own sentence, never as a traceback."""
    own = {"settings": {"type": "dict", "required": True, "options": SETTINGS}, **arguments}
    module = AnsibleModule(argument_spec=own, supports_check_mode=True)
    try:
        settings = Settings.of(module.params["settings"])
        if module.params.get("instance") is not None:
            checked_instance(module.params["instance"])
        result = body(module, connect(settings))
    except StepFailed as error:
        module.fail_json(msg=str(error))
    except CLOUD_ERRORS as error:
        module.fail_json(msg=said(error))
    module.exit_json(**result)
