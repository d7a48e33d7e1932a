"""Pages: `limit`, `marker`, and links to the next one under both names that clients look for."""

from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from api.call import Call
from api.schemas.common import Link

_Row = TypeVar("_Row")


def cut(rows: Sequence[_Row], limit: int) -> tuple[list[_Row], bool]:
    """The page of at most `limit` of rows read with one more, and whether more follow."""
    return list(rows[:limit]), len(rows) > limit


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
