"""Pages: `limit`, `marker`, and links to the next one under both names that clients look for."""

from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from api.call import Call
from api.schemas.common import Link
from coffer.settings import Settings

_Row = TypeVar("_Row")


def cut(rows: Sequence[_Row], limit: int) -> tuple[list[_Row], bool]:
    """The page of at most `limit` of rows read with one more, and whether more follow."""
    return list(rows[:limit]), len(rows) > limit


def page_by_id(
    call: Call, settings: Settings, collection: str, query: Any, model: Any
) -> tuple[list[Any], dict[str, Any]]:
    """A page of a query in the order of ids, and the links to the next one."""
    limit = call.number("limit", settings.page_size, settings.maximum_page_size)
    limit = limit or settings.page_size
    if marker := call.parameter("marker"):
        query = query.where(model.id > marker)
    rows, more = cut(list(query.order_by(model.id).limit(limit + 1)), limit)
    return rows, next_links(call, collection, rows[-1].id if more else None)


def next_links(call: Call, collection: str, marker: str | None) -> dict[str, Any]:
    """Keywords for the answer: nothing on the last page.

    The marker is percent-encoded twice, for troveclient decodes it once and pastes the result
    unescaped into its next URL.
    """
    if marker is None:
        return {}
    kept = {key: value for key, value in call.request.params.items() if key != "marker"}
    query = urlencode({**kept, "marker": quote(marker, safe="")}, doseq=True)
    links = [Link(href=f"{call.base_url}{call.request.path}?{query}", rel="next")]
    return {"links": links, f"{collection}_links": links}
