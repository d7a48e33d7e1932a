"""/patches: many instances patched in waves. Coffer's own, in Trove's style."""

import msgspec

from api.call import Call
from api.endpoint import endpoint
from api.lookup import find_instance
from api.paging import cut
from api.patch_views import find_run, run_view
from api.requests import one_action
from api.schemas import patch as wire
from api.schemas.common import last_segment
from api.services import Services
from coffer import patch_runs
from coffer.clock import utcnow
from coffer.errors import BadRequest, NotFound
from coffer.fleets import select
from coffer.models import Instance, PatchRun
from coffer.patch_runs import RunWish

SHOWN = 100


class PatchCollection:
    """GET and POST /patches."""

    def __init__(self, services: Services) -> None:
        self._rounds = services.patch_rounds

    @endpoint(
        "List patch runs, newest first",
        access="look",
        returns=wire.RunList,
        query=("limit", "all_projects"),
    )
    def on_get(self, call: Call) -> wire.RunList:
        query = PatchRun.select()
        if not (call.identity.is_admin and call.flag("all_projects")):
            query = query.where(PatchRun.project_id == call.project_id)
        limit = call.number("limit", SHOWN, SHOWN) or SHOWN
        newest = query.order_by(PatchRun.created.desc(), PatchRun.id).limit(limit)
        rows, _ = cut(list(newest), limit)
        return wire.RunList(patches=[run_view(row) for row in rows])

    @endpoint(
        "Patch many instances",
        access="patch",
        body=wire.StartRun,
        returns=wire.RunDocument,
        status=202,
    )
    def on_post(self, call: Call, body: wire.StartRun) -> wire.RunDocument:
        given = msgspec.structs.asdict(body.patch)
        chosen = _chosen(call, given.pop("instances"), given["selector"])
        wish = RunWish(**given | {"selector": given["selector"] or {}})
        run = patch_runs.start(chosen, wish, call.caller)
        self._rounds.drive(run.id, utcnow())
        return wire.RunDocument(patch=run_view(PatchRun.get_by_id(run.id), detail=True))


class PatchItem:
    """GET /patches/{id}."""

    @endpoint("Show a patch run", access="look", returns=wire.RunDocument)
    def on_get(self, call: Call, patch: str) -> wire.RunDocument:
        return wire.RunDocument(patch=run_view(find_run(call, patch), detail=True))


class PatchActions:
    """POST /patches/{id}/action."""

    def __init__(self, services: Services) -> None:
        self._rounds = services.patch_rounds

    @endpoint(
        "Abort or resume a patch run",
        access="patch",
        body=wire.RunAction,
        returns=wire.RunDocument,
        status=202,
    )
    def on_post(self, call: Call, body: wire.RunAction, patch: str) -> wire.RunDocument:
        row = find_run(call, patch)
        if one_action(body) == "abort":
            patch_runs.abort(row)
        else:
            patch_runs.resume(row, force=bool(body.resume and body.resume.force))
        self._rounds.drive(row.id, utcnow())
        return wire.RunDocument(patch=run_view(PatchRun.get_by_id(row.id), detail=True))


def _chosen(call: Call, ids: list[str] | None, selector: dict[str, str] | None) -> list[Instance]:
    if (ids is None) == (selector is None):
        raise BadRequest("patch: give either instances or a selector")
    if selector is not None:
        return select(selector, call.project_id, call.identity.is_admin)
    try:
        return [find_instance(call, last_segment(given)) for given in ids or []]
    except NotFound as error:
        raise BadRequest(f"patch.instances: {error}") from error
