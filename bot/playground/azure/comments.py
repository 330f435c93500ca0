"""The discussion of a work item: comments in HTML or Markdown, their versions, and the pages they come in."""

from dataclasses import dataclass
from typing import Any

from .announcing import announce_change
from .errors import comment_missing, invalid, item_missing
from .fields import write_time
from .items import Comment, Draft, WorkItem, commit
from .markup import render
from .people import Person, identity_ref
from .shapes import item_url
from .state import Organisation
from .wire import Answer, Call, Routes

routes = Routes()
_PATH = "{project?}/_apis/wit/workitems/{id:int}/comments"
_MOST = 200


def add_comment(org: Organisation, item: WorkItem, text: str, by: Person, form: str = "markdown") -> Comment:
    """Says something on the item: a new revision, and the hooks workitem.updated and workitem.commented."""
    if not text.strip():
        raise invalid("Value cannot be null or empty.\r\nParameter name: Text")
    if form.lower() not in ("markdown", "html"):
        raise invalid(f"VS402337: A comment's format is markdown or html, not {form}.")
    with org.lock:
        draft = Draft.of(item)
        draft.said = (text, form.lower())
        commit(org, draft, by)
        announce_change(org, item)
        return item.comments[-1]


@routes("POST", _PATH)
def add(call: Call) -> Answer:
    item = _item(call)
    form = call.query.get("format") or "html"
    comment = add_comment(call.org, item, call.object.text("text"), call.person, form)
    return Answer(describe(call.org, item, comment))


@routes("GET", _PATH)
def listed(call: Call) -> Answer:
    item, org = _item(call), call.org
    if "ids" in call.query:
        wanted = {int(part) for part in call.query["ids"].split(",") if part.strip().isdigit()}
        page = _Page([comment for comment in _visible(call, item) if comment.id in wanted], None)
    else:
        page = _page(call, _visible(call, item))
    rendered = "rendered" in call.query.get("$expand", "").lower()
    body: dict[str, Any] = {
        "totalCount": sum(not comment.deleted for comment in item.comments),
        "count": len(page.comments),
        "comments": [describe(org, item, comment, rendered=rendered) for comment in page.comments],
    }
    if page.token is not None:
        url = f"{item_url(org, item)}/comments?continuationToken={page.token}&$top={call.query.get('$top', _MOST)}"
        body |= {"nextPage": url, "continuationToken": page.token}
    return Answer(body)


@dataclass(frozen=True, slots=True)
class _Page:
    comments: list[Comment]
    token: str | None


def _visible(call: Call, item: WorkItem) -> list[Comment]:
    """Newest first, as the service has it when nobody says order=asc."""
    order = call.query.get("order", "desc").lower()
    if order not in ("asc", "desc"):
        raise invalid(f"VS402337: order is asc or desc, not {order}.")
    some = [comment for comment in item.comments if not comment.deleted or call.flag("includeDeleted")]
    some = [comment for comment in some if call.settled(comment.created)]
    return some if order == "asc" else some[::-1]


def _page(call: Call, comments: list[Comment]) -> _Page:
    """The continuation token is the number of the last comment on the page before, so new comments shift nothing."""
    rest = comments
    if token := call.query.get("continuationtoken"):
        places = [place for place, comment in enumerate(comments) if str(comment.id) == token]
        if not places:
            raise invalid(f"VS402337: The continuation token {token} is not valid.")
        rest = comments[places[0] + 1 :]
    page = rest[: call.count("$top", _MOST, _MOST)]
    return _Page(page, str(page[-1].id) if page and len(page) < len(rest) else None)


@routes("GET", _PATH + "/{comment:int}")
def one(call: Call) -> Answer:
    item = _item(call)
    rendered = "rendered" in call.query.get("$expand", "").lower()
    comment = _comment(call, item, deleted=call.flag("includeDeleted"))
    return Answer(describe(call.org, item, comment, rendered=rendered))


@routes("PATCH", _PATH + "/{comment:int}")
def edit(call: Call) -> Answer:
    """A new version of the comment; the work item's rev stays, and no hook fires."""
    item = _item(call)
    comment, text = _comment(call, item), call.object.get("text")
    if not isinstance(text, str) or not text.strip():
        raise invalid("Value cannot be null or empty.\r\nParameter name: Text")
    comment.history.append((comment.version, comment.text, comment.modified_by, comment.modified))
    comment.text, comment.version = text, comment.version + 1
    comment.format = (call.query.get("format") or comment.format).lower()
    comment.modified, comment.modified_by = call.org.now(), call.person
    return Answer(describe(call.org, item, comment))


@routes("DELETE", _PATH + "/{comment:int}")
def delete(call: Call) -> Answer:
    item = _item(call)
    comment = _comment(call, item)
    comment.deleted, comment.version = True, comment.version + 1
    comment.modified, comment.modified_by = call.org.now(), call.person
    commit(call.org, Draft.of(item), call.person)  # System.CommentCount went down
    announce_change(call.org, item)
    return Answer(None)


@routes("GET", _PATH + "/{comment:int}/versions")
def versions(call: Call) -> Answer:
    item = _item(call)
    comment = _comment(call, item, deleted=True)
    now = (comment.version, comment.text, comment.modified_by, comment.modified)
    rows = [_version(call.org, comment, row) for row in [*comment.history, now]]
    return Answer({"count": len(rows), "value": rows})


def _version(org: Organisation, comment: Comment, row: tuple[int, str, Person, Any]) -> dict[str, Any]:
    number, text, by, at = row
    return {
        "id": comment.id,
        "version": number,
        "text": text,
        "createdBy": identity_ref(comment.by, org.base_url),
        "createdDate": write_time(comment.created),
        "modifiedBy": identity_ref(by, org.base_url),
        "modifiedDate": write_time(at),
        "isDeleted": comment.deleted and number == comment.version,
    }


def _item(call: Call) -> WorkItem:
    item = call.org.item(call.number("id"))
    if call.scope not in (None, item.project):
        raise item_missing(item.id)
    return item


def _comment(call: Call, item: WorkItem, *, deleted: bool = False) -> Comment:
    number = call.number("comment")
    for comment in item.comments:
        if comment.id == number and (deleted or not comment.deleted):
            return comment
    raise comment_missing(number)


def describe(org: Organisation, item: WorkItem, comment: Comment, *, rendered: bool = False) -> dict[str, Any]:
    """Comment of the REST API 7.x."""
    body: dict[str, Any] = {
        "mentions": [],
        "workItemId": item.id,
        "id": comment.id,
        "version": comment.version,
        "text": comment.text,
        "createdBy": identity_ref(comment.by, org.base_url),
        "createdDate": write_time(comment.created),
        "modifiedBy": identity_ref(comment.modified_by, org.base_url),
        "modifiedDate": write_time(comment.modified),
        "format": comment.format,
        "url": f"{item_url(org, item)}/comments/{comment.id}",
    }
    if comment.deleted:
        body["isDeleted"] = True
    if rendered:
        body["renderedText"] = render(comment.text, comment.format)
    return body
