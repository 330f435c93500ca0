"""The reporting stream of work item revisions, with which a reader catches up on everything since a token or a time."""

from typing import Any

from .errors import invalid
from .fields import read_time
from .items import Revision, WorkItem
from .shapes import wire
from .state import Organisation
from .wire import Answer, Call, Routes

routes = Routes()
_PATH = "{project?}/_apis/wit/reporting/workitemrevisions"
_PAGE = 1000


@routes("GET", _PATH)
def read(call: Call) -> Answer:
    fields = [name for name in call.query.get("fields", "").split(",") if name]
    types = [name for name in call.query.get("types", "").split(",") if name]
    return _batch(call, fields, types, refs=call.flag("includeIdentityRef"))


@routes("POST", _PATH)
def read_filtered(call: Call) -> Answer:
    body = call.object
    refs = bool(body.get("includeIdentityRef"))
    return _batch(call, body.texts("fields"), body.texts("types"), refs=refs)


def _batch(call: Call, fields: list[str], types: list[str], *, refs: bool) -> Answer:
    """The continuation token is the watermark of the last revision read; the stream is in order of watermarks."""
    rows = _since(call, [name.lower() for name in types])
    size = call.count("$maxPageSize", _PAGE, _PAGE) or _PAGE
    page, last = rows[:size], len(rows) <= size
    names = [call.org.field(name).reference for name in fields]
    token = str(page[-1][0]) if page else call.query.get("continuationtoken", "0")
    url = f"{call.org.base_url}{call.path}?continuationToken={token}&$maxPageSize={size}"
    values = [_row(call.org, item, revision, names, refs=refs) for _, item, revision in page]
    return Answer({"values": values, "nextLink": url, "continuationToken": token, "isLastBatch": last})


def _since(call: Call, types: list[str]) -> list[tuple[int, WorkItem, Revision]]:
    token, start = call.query.get("continuationtoken"), call.query.get("startdatetime")
    if token and not token.isdigit():
        raise invalid(f"VS402337: The continuation token {token} is not valid.")
    least = int(token or 0)
    try:
        since = read_time(start) if start and not token else None
    except ValueError:
        raise invalid(f"VS402337: startDateTime is not a date: {start}.") from None
    rows = []
    for item in call.org.items.values():
        if call.scope not in (None, item.project) or (types and item.type.name.lower() not in types):
            continue
        if item.deleted is not None and not call.flag("includeDeleted"):
            continue
        for revision in item.revisions:
            mark, at = revision.fields["System.Watermark"], revision.fields["System.ChangedDate"]
            if (
                mark > least
                and not (call.flag("includeLatestOnly") and revision is not item.revisions[-1])
                and (since is None or at >= since)
                and (item.deleted is None or call.flag("includeDeleted"))
            ):
                rows.append((mark, item, revision))
    return sorted(rows, key=lambda row: row[0])


def _row(org: Organisation, item: WorkItem, revision: Revision, names: list[str], *, refs: bool) -> dict[str, Any]:
    held = revision.fields
    chosen = names or list(held)
    fields = {name: wire(org, held[name], names=not refs) for name in chosen if name in held}
    return {"id": item.id, "rev": revision.rev, "fields": fields}
