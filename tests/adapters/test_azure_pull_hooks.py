"""What Azure DevOps tells of pull requests, as events: its documentation's samples and one that was sent."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.azure_hooks import BadDelivery, decode
from bot.events import CommentPosted, PullRequestChanged, PullRequestClosed, TextChanged

DATA = Path(__file__).parent / "data"
HEAD = "53d54ac915144006c2c9e90d2c7d3880920db49c"
PUBLISHED = "2014-06-17T16:55:46.589889Z"


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / name).read_text("utf-8-sig"))
    return found


def pull(**changes: Any) -> bytes:
    whole = read("git.pullrequest.created.json")
    whole["resource"] |= changes
    return json.dumps(whole).encode()


def comment(subscription: str = "5e7c", **changes: Any) -> bytes:
    """The delivery as for a new comment on a real subscription."""
    whole = read("git-pullrequest-comment-event.json") | {"subscriptionId": subscription}
    whole["resource"]["comment"] |= {"lastContentUpdatedDate": PUBLISHED, **changes}
    return json.dumps(whole).encode()


def test_an_open_pull_request_tells_its_head() -> None:
    (event,) = decode(pull(), "Fabrikam")
    assert isinstance(event, PullRequestChanged)
    assert (event.ref, event.head) == ("repos:Fabrikam/Fabrikam!1", HEAD)


def test_the_repository_is_called_as_in_the_settings_by_name_or_by_id() -> None:
    whole = read("git.pullrequest.created.json")["resource"]["repository"]
    by_id = f"{whole['project']['id']}/{whole['id']}"
    for said in ("fabrikam/fabrikam", by_id):
        (event,) = decode(pull(), "Fabrikam", {said.lower(): "Shop/model"})
        assert isinstance(event, PullRequestChanged)
        assert event.ref == "repos:Shop/model!1"


def test_its_text_is_read_only_where_it_may_name_something() -> None:
    text, changed = decode(pull(description="Closes #12"), "Fabrikam")
    assert isinstance(text, TextChanged)
    assert (text.body, text.on_pull) == ("Closes #12", True)
    assert isinstance(changed, PullRequestChanged)


def test_completed_abandoned_and_draft_are_closed_to_us() -> None:
    (done,) = decode(json.dumps(read("git.pullrequest.updated.json")).encode(), "Fabrikam")
    assert done == PullRequestClosed("repos:Fabrikam/Fabrikam!1", datetime(2014, 6, 30, 18, 59, 12, 366057, tzinfo=UTC))
    for changes in ({"status": "abandoned"}, {"isDraft": True}):
        (event,) = decode(pull(**changes), "Fabrikam")
        assert isinstance(event, PullRequestClosed)


def test_a_new_comment_names_its_thread_and_its_author() -> None:
    (event,) = decode(comment(), "Fabrikam")
    at = datetime(2014, 6, 17, 16, 55, 46, 589889, tzinfo=UTC)
    place = "repos:Fabrikam/Fabrikam!1"
    assert event == CommentPosted(
        place, "5.2", "fabrikamfiber4@hotmail.com", False, "This is my comment.", at, on_pull=True
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"lastContentUpdatedDate": "2014-06-17T16:58:33.123889Z"},
        {"isDeleted": True},
        {"content": None},
        {"commentType": "system"},
        {"_links": {}},
        {"_links": {"threads": {"href": "nowhere"}}},
    ],
)
def test_edits_deletions_and_the_services_own_notes_are_nothing_new(changes: dict[str, Any]) -> None:
    assert decode(comment(**changes), "Fabrikam") == ()


def test_build_services_are_not_people() -> None:
    author = {"displayName": "Bikes Build Service", "uniqueName": "", "descriptor": "svc.abc"}
    (event,) = decode(comment(author=author), "Fabrikam")
    assert isinstance(event, CommentPosted)
    assert (event.author, event.author_is_bot) == ("Bikes Build Service", True)


def test_the_test_button_and_comments_without_their_pull_request_are_nothing_to_us() -> None:
    assert decode(comment("00000000-0000-0000-0000-000000000000"), "Fabrikam") == ()
    whole = json.loads(comment()) | {"resourceVersion": "1.0"}
    whole["resource"] = whole["resource"]["comment"]
    assert decode(json.dumps(whole).encode(), "Fabrikam") == ()


@pytest.mark.parametrize("changes", [{"repository": None}, {"pullRequestId": "1"}, {"status": 3}])
def test_what_does_not_fit_is_a_bad_delivery_with_a_sentence(changes: dict[str, Any]) -> None:
    with pytest.raises(BadDelivery, match="not a service hook delivery of Azure DevOps"):
        decode(pull(**changes), "Fabrikam")
