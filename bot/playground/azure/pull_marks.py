"""What people hang on pull requests and comments: labels and likes."""

import uuid
from typing import Any

from .errors import Refusal, invalid
from .people import identity_ref
from .pull_api import PULL, pull_of
from .repositories import PullComment
from .thread_api import found_comment
from .wire import Answer, Call, Routes, collection

routes = Routes()
_LIKES = PULL + "/threads/{thread:int}/comments/{comment:int}/likes"


def _label(name: str) -> dict[str, Any]:
    """WebApiTagDefinition; its id is the same for a name wherever it hangs."""
    return {"id": str(uuid.uuid5(uuid.NAMESPACE_OID, name.lower())), "name": name, "active": True}


@routes("GET", PULL + "/labels")
def labels(call: Call) -> Answer:
    return collection([_label(name) for name in pull_of(call).labels])


@routes("POST", PULL + "/labels")
def hang(call: Call) -> Answer:
    """Hanging one that hangs there already changes nothing."""
    pull, name = pull_of(call), call.object.text("name").strip()
    if not name:
        raise invalid("Value cannot be null or empty.\r\nParameter name: name")
    known = next((one for one in pull.labels if one.lower() == name.lower()), None)
    if known is None:
        pull.labels.append(name)
    return Answer(_label(known or name))


@routes("DELETE", PULL + "/labels/{label}")
def take_off(call: Call) -> Answer:
    pull, wanted = pull_of(call), call.parts["label"].lower()
    for name in pull.labels:
        if wanted in (name.lower(), _label(name)["id"]):
            pull.labels.remove(name)
            return Answer(None)
    raise Refusal(404, f"TF401180: The label {wanted} was not found on this pull request.", "GitLabelNotFoundException")


def _likes(call: Call, comment: PullComment) -> Answer:
    return collection([identity_ref(person, call.org.base_url) for person in comment.likes])


@routes("GET", _LIKES)
def likes(call: Call) -> Answer:
    return _likes(call, found_comment(call))


@routes("POST", _LIKES)
def like(call: Call) -> Answer:
    """Liking twice is liking once."""
    comment = found_comment(call)
    if call.person not in comment.likes:
        comment.likes.append(call.person)
    return Answer(None)


@routes("DELETE", _LIKES)
def unlike(call: Call) -> Answer:
    comment = found_comment(call)
    if call.person in comment.likes:
        comment.likes.remove(call.person)
    return Answer(None)
