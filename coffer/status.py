"""The status words that users see (Trove's `status` and `operating_status`)."""

from collections.abc import Iterator

from coffer.errors import Unprocessable
from coffer.models import Instance

SILENT = "ERROR"
"""Trove's word for a guest that has not reported for 90 seconds."""
STOPPED = "SHUTDOWN"
"""The engine was stopped in good order."""
RESTART_REQUIRED = "RESTART_REQUIRED"
HEALTHY = "HEALTHY"
RUNNING = (HEALTHY, "ACTIVE", "RESTART_REQUIRED")
CAN_ACT = ("HEALTHY", "ACTIVE", "SHUTDOWN", "FAILED", "CRASHED", "BLOCKED", "RESTART_REQUIRED")


def display_status(instance: Instance) -> str:
    """The task under way, else the state, else what a silent guest makes of it."""
    if instance.task:
        return str(instance.task)
    if instance.state == "ACTIVE" and instance.operating_status == SILENT:
        return "ERROR"
    if instance.state == "ACTIVE" and instance.operating_status == STOPPED:
        return STOPPED
    if instance.state == "ACTIVE" and instance.restart_required:
        return RESTART_REQUIRED
    return str(instance.state)


def is_healthy(instance: Instance) -> bool:
    """Whether it is there and its guest says that the engine writes and reads."""
    return instance.state == "ACTIVE" and instance.operating_status in RUNNING


def settled_instances() -> Iterator[Instance]:
    """Those that nothing reshapes: only of these it can be asked whether they are healthy."""
    return iter(Instance.select().where(Instance.deleted.is_null(), Instance.task.is_null()))


def display_operating_status(instance: Instance) -> str:
    """What the guest last reported; the empty string while a task runs."""
    if instance.task not in (None, "BACKUP") or instance.state != "ACTIVE":
        return ""
    return str(instance.operating_status)


def require_running(instance: Instance) -> None:
    """Let only an instance pass whose engine runs and that nothing reshapes.

    Raises:
        Unprocessable: with the state that forbids it.
    """
    require_can_act(instance)
    if instance.operating_status not in RUNNING:
        raise Unprocessable(
            f"instance {instance.id}: the engine is {instance.operating_status}, not running"
        )


def require_there(instance: Instance) -> None:
    """Let only an instance pass that has been built and is not being deleted.

    Raises:
        Unprocessable: with the state that forbids the action.
    """
    if not instance.compute or instance.task in ("BUILD", "SHUTDOWN"):
        status = display_status(instance)
        raise Unprocessable(f"instance {instance.id} is not ready: it is {status}")


def require_idle(instance: Instance) -> None:
    """Let only an instance pass that was built and that nothing works on, silent or not.

    Raises:
        Unprocessable: with the state that forbids the action.
    """
    status = display_status(instance)
    if status == "BUILD":
        raise Unprocessable(f"instance {instance.id} is not ready: it is being built")
    if instance.task or instance.state != "ACTIVE":
        raise Unprocessable(f"instance {instance.id} is {status}: wait until it is ACTIVE")


def require_can_act(instance: Instance) -> None:
    """Let only an instance pass that is up and idle.

    Raises:
        Unprocessable: with the state that forbids the action.
    """
    require_idle(instance)
    if instance.operating_status not in CAN_ACT:
        raise Unprocessable(
            f"instance {instance.id}: the guest is silent (operating status "
            f"{instance.operating_status or 'unknown'}); see its fault and events"
        )
