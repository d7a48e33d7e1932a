"""Which hosts a run has: the operation's own, and those of its parts."""

from typing import Any

from coffer.inventory import Inventory, host_names, known_host
from coffer.models import Instance, Operation
from coffer.operations import KINDS
from coffer.parts import parts_of
from worker.rundir import Inputs

SOURCE, REPLICAS = "run_source", "run_replicas"
"""Groups of a run: hosts that shall be nobody's replica once it is done, and those that shall."""


def inputs_of(
    inventory: Inventory, operation: Operation, changes: dict[str, Any], is_undo: bool
) -> Inputs:
    """Hosts as they shall be once `changes`, and those of the parts, are true.

    An undo takes everything for what the records say. Whoever undoes a creation deletes: then the
    instance that was made is the only host.
    """
    wanted = [(operation.instance_id, changes)]
    if not (is_undo and KINDS[operation.kind].makes):
        wanted += [
            (part.instance_id, {} if is_undo else part.changes) for part in parts_of(operation)
        ]
    rows = [(Instance.get_by_id(key), row_changes) for key, row_changes in wanted]
    names = host_names([row for row, _ in rows])
    more = {
        **operation.parameters,
        "coffer_operation_id": operation.id,
        "coffer_request_id": operation.request_id,
    }
    inputs = Inputs(groups={SOURCE: [], REPLICAS: []})
    for row, row_changes in rows:
        inputs.hosts[names[row.id]] = {**inventory.host_vars(row, row_changes), **more}
        group = REPLICAS if {"source_id": row.source_id, **row_changes}["source_id"] else SOURCE
        inputs.groups[group].append(names[row.id])
        inputs.known_hosts += [line] if (line := known_host(row)) else []
    return inputs
