"""The discussion of a pull request over the REST API: threads with their statuses, and the comments in them."""

from . import pull_shapes as shapes
from .errors import Refusal, invalid
from .pull_api import PULL, pull_of
from .pull_events import announce_comment
from .pull_requests import reply, start_thread
from .repositories import PullComment, PullRequest, Thread
from .wire import Answer, Call, Routes, collection

routes = Routes()
_THREAD = PULL + "/threads/{thread:int}"
_STATES = ("unknown", "active", "fixed", "wontFix", "closed", "byDesign", "pending")
# The service writes enums as words and reads them as words or numbers.
_KINDS = {"0": "unknown", "1": "text", "2": "codeChange", "3": "system"}


def _kind(given: object) -> str:
    text = _KINDS.get(str(given), str(given or "text"))
    if text not in _KINDS.values():
        raise invalid(f"VS402337: commentType is one of {', '.join(_KINDS.values())}, not {text}.")
    return text


def _state(given: object) -> str | None:
    if given is None:
        return None
    text = _STATES[int(str(given))] if str(given).isdigit() and int(str(given)) < len(_STATES) else str(given)
    if text not in _STATES:
        raise invalid(f"VS402337: A thread's status is one of {', '.join(_STATES)}, not {text}.")
    return text


def _found(call: Call) -> tuple[PullRequest, Thread]:
    pull, number = pull_of(call), call.number("thread")
    for thread in pull.threads:
        if thread.id == number:
            return pull, thread
    raise Refusal(404, f"TF401180: The thread {number} was not found.", "DiscussionThreadNotFoundException")


def _comment(call: Call, thread: Thread) -> PullComment:
    number = call.number("comment")
    if not 1 <= number <= len(thread.comments):
        raise Refusal(404, f"TF401180: The comment {number} was not found.", "CommentNotFoundException")
    return thread.comments[number - 1]


def found_comment(call: Call) -> PullComment:
    """The comment that a call's path names."""
    _, thread = _found(call)
    return _comment(call, thread)


@routes("GET", PULL + "/threads")
def listed(call: Call) -> Answer:
    pull = pull_of(call)
    return collection([shapes.thread(call.org, pull, thread) for thread in pull.threads])


@routes("POST", PULL + "/threads")
def start(call: Call) -> Answer:
    pull, body = pull_of(call), call.object
    comments = body.objects("comments")
    if not comments:
        raise invalid("Value cannot be null or empty.\r\nParameter name: comments")
    first, *rest = comments
    kind = _kind(first.get("commentType"))
    thread = start_thread(call.org, pull, first.text("content"), call.person, _state(body.get("status")), kind)
    thread.properties, thread.context = body.object("properties"), body.object("threadContext") or None
    for more in rest:
        reply(call.org, pull, thread, more.text("content"), call.person, parent=1)
    return Answer(shapes.thread(call.org, pull, thread))


@routes("GET", _THREAD)
def one(call: Call) -> Answer:
    pull, thread = _found(call)
    return Answer(shapes.thread(call.org, pull, thread))


@routes("PATCH", _THREAD)
def change(call: Call) -> Answer:
    pull, thread = _found(call)
    body = call.object
    thread.status = _state(body.get("status")) or thread.status
    thread.properties = body.object("properties") or thread.properties
    return Answer(shapes.thread(call.org, pull, thread))


@routes("GET", _THREAD + "/comments")
def comments(call: Call) -> Answer:
    pull, thread = _found(call)
    return collection([shapes.comment(call.org, pull, thread, one) for one in thread.comments])


@routes("POST", _THREAD + "/comments")
def add(call: Call) -> Answer:
    pull, thread = _found(call)
    body = call.object
    parent, kind = body.number("parentCommentId", 0), _kind(body.get("commentType"))
    said = reply(call.org, pull, thread, body.text("content"), call.person, parent=parent, kind=kind)
    return Answer(shapes.comment(call.org, pull, thread, said))


@routes("GET", _THREAD + "/comments/{comment:int}")
def one_comment(call: Call) -> Answer:
    pull, thread = _found(call)
    return Answer(shapes.comment(call.org, pull, thread, _comment(call, thread)))


@routes("PATCH", _THREAD + "/comments/{comment:int}")
def edit(call: Call) -> Answer:
    """Only its author may; fires the comment event once more, in the words of an edit."""
    pull, thread = _found(call)
    comment, text = _own(call, thread), call.object.text("content")
    if not text.strip():
        raise invalid("Value cannot be null or empty.\r\nParameter name: content")
    comment.text, comment.updated = text, call.org.now()
    announce_comment(call.org, pull, thread, comment, call.person, "edited a pull request comment")
    return Answer(shapes.comment(call.org, pull, thread, comment))


@routes("DELETE", _THREAD + "/comments/{comment:int}")
def delete(call: Call) -> Answer:
    pull, thread = _found(call)
    comment = _own(call, thread)
    comment.deleted, comment.updated = True, call.org.now()
    announce_comment(call.org, pull, thread, comment, call.person, "deleted a pull request comment")
    return Answer(None)


def _own(call: Call, thread: Thread) -> PullComment:
    comment = _comment(call, thread)
    if comment.by != call.person:
        text = "TF401027: You need the author's permission to change this comment."
        raise Refusal(403, text, "GitNeedsPermissionException")
    return comment
