"""Operations of one instance run one after the other, in the order of asking."""

from coffer.models import Operation
from coffer.operations import ACTIVE_STATES, KINDS


def under_way(instance_id: str | None) -> list[Operation]:
    """Operations and parts of an instance that have not ended, the oldest first."""
    query = Operation.select().where(
        Operation.instance == instance_id, Operation.state.in_(ACTIVE_STATES)
    )
    return list(query.order_by(Operation.created, Operation.id))


def task_of(instance_id: str | None) -> str | None:
    """The status word of the newest operation under way that has one."""
    words = (KINDS[row.kind].status for row in reversed(under_way(instance_id)))
    return next((word for word in words if word), None)


def must_wait(operation_id: str) -> bool:
    """Whether an earlier operation waits for an instance that this one, or a part of it, needs.

    Who has an instance's lock waits for nobody.
    """
    needed = Operation.select().where(
        (Operation.id == operation_id) | (Operation.leader == operation_id),
        Operation.state.in_(ACTIVE_STATES),
        Operation.lock.is_null(),
    )
    return any(under_way(row.instance_id)[0].id != row.id for row in needed)
