"""/operations: what was asked for, where it stands, retry and abort."""

import peewee

from api.call import Call
from api.endpoint import Started, endpoint
from api.lookup import find_instance, find_operation
from api.paging import cut, next_links
from api.requests import one_action
from api.schemas import operation as wire
from api.services import Services
from api.views import event_view, operation_view
from coffer.errors import BadRequest, Forbidden
from coffer.lifecycle import abort, retry
from coffer.models import Event, Instance, Operation
from coffer.operations import State
from coffer.operator_runs import finish

MAXIMUM_EVENTS = 1000


class OperationCollection:
    """GET /operations, and POST for a playbook that an operator runs by hand."""

    def __init__(self, services: Services) -> None:
        self._settings, self._runs = services.settings, services.operator_runs

    @endpoint(
        "List operations, newest first",
        returns=wire.OperationList,
        query=("instance_id", "state", "limit", "marker"),
    )
    def on_get(self, call: Call) -> wire.OperationList:
        page = self._settings.page_size
        limit = call.number("limit", page, self._settings.maximum_page_size) or page
        offset = call.number("marker", 0, 1_000_000_000)
        rows, more = cut(list(_matching(call).offset(offset).limit(limit + 1)), limit)
        marker = str(offset + limit) if more else None
        views = [operation_view(row) for row in rows]
        return wire.OperationList(operations=views, **next_links(call, "operations", marker))

    @endpoint(
        "Declare a playbook run by hand",
        access="admin",
        body=wire.DeclareOperation,
        returns=wire.OperationDocument,
    )
    def on_post(self, call: Call, body: wire.DeclareOperation) -> Started:
        asked = body.operation
        row = find_instance(call, asked.instance_id)
        operation = self._runs.declare(asked.kind, row, call.caller, backup=asked.backup)
        return Started(operation.id, wire.OperationDocument(operation=operation_view(operation)))


def _matching(call: Call) -> "peewee.ModelSelect[Operation]":
    query = Operation.select(Operation, Instance).join(Instance, peewee.JOIN.LEFT_OUTER)
    if not (call.identity.is_admin and call.flag("all_projects")):
        query = query.where(Operation.project_id == call.project_id)
    if instance_id := call.parameter("instance_id"):
        query = query.where(Operation.instance == instance_id)
    if state := call.parameter("state"):
        if state not in list(State):
            raise BadRequest(f"state: '{state}' is not one of {', '.join(State)}")
        query = query.where(Operation.state == state)
    return query.order_by(Operation.created.desc(), Operation.id)


class OperationItem:
    """GET /operations/{id}."""

    @endpoint("Show an operation", returns=wire.OperationDocument)
    def on_get(self, call: Call, operation: str) -> wire.OperationDocument:
        return wire.OperationDocument(operation=operation_view(find_operation(call, operation)))


class OperationEvents:
    """GET /operations/{id}/events."""

    @endpoint("Steps of an operation", returns=wire.EventList, query=("after",))
    def on_get(self, call: Call, operation: str) -> wire.EventList:
        # The operation first: events read after it are never older than the state shown.
        row = find_operation(call, operation)
        after = call.number("after", 0, 2**62)
        events = (
            Event.select()
            .where(Event.operation == row, Event.id > after)
            .order_by(Event.id)
            .limit(MAXIMUM_EVENTS)
        )
        return wire.EventList(
            events=[event_view(event) for event in events], operation=operation_view(row)
        )


class OperationActions:
    """POST /operations/{id}/action."""

    def __init__(self, services: Services) -> None:
        self._dispatcher, self._quotas = services.dispatcher, services.quotas

    @endpoint("Retry or abort an operation", access="write", body=wire.OperationAction, status=202)
    def on_post(self, call: Call, body: wire.OperationAction, operation: str) -> None:
        row = find_operation(call, operation)
        getattr(self, f"_{one_action(body)}")(call, row, body)

    def _retry(self, _call: Call, row: Operation, _body: wire.OperationAction) -> None:
        self._dispatcher.send(retry(row, self._quotas.readmit))

    def _abort(self, _call: Call, row: Operation, _body: wire.OperationAction) -> None:
        self._send(abort(row))

    def _finish(self, call: Call, row: Operation, body: wire.OperationAction) -> None:
        if not call.identity.is_admin:
            raise Forbidden("finish: this needs the role 'admin'")
        ended = body.finish
        assert isinstance(ended, wire.Finish)  # noqa: S101  one_action saw it
        self._send(finish(row, ended.succeeded, ended.reason, ended.facts))

    def _send(self, freed: list[Operation]) -> None:
        for waiting in freed:
            self._dispatcher.send(waiting)
