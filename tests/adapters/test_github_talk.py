"""Comments, permissions and reactions on GitHub, also when it answers badly."""

import json
from datetime import UTC, datetime

import pytest
import requests
import responses

from bot.adapters.github import GitHub
from bot.adapters.github_text import LIMIT
from bot.ports import Denied, Mark, Permission, Unavailable
from tests.adapters.conftest import AT, ISSUE, ME, REPO, SOMEBODY, calls, comment, issue, repository

COMMENTS = f"{REPO}/issues/12/comments"
MARKED = "<!-- lifecycle-bot run:7 -->"


def sent(web: responses.RequestsMock, index: int = -1) -> str:
    body = web.calls[index].request.body
    return str(json.loads(body or "{}")["body"])


def test_the_first_time_a_comment_is_created_and_later_edited_without_a_search(
    web: responses.RequestsMock, github: GitHub
) -> None:
    web.get(COMMENTS, json=[])
    web.post(COMMENTS, json=comment(1, f"{MARKED}\nqueued"), status=201)
    web.patch(f"{REPO}/issues/comments/1", json=comment(1, f"{MARKED}\ntraining"))
    url = github.say(ISSUE, "run:7", "queued")
    assert sent(web) == f"{MARKED}\nqueued"
    assert github.say(ISSUE, "run:7", "training") == url == "https://github.com/octo/bikes/issues/12#issuecomment-1"
    assert calls(web) == [
        "GET /repos/octo/bikes/issues/12/comments?per_page=100",
        "POST /repos/octo/bikes/issues/12/comments",
        "PATCH /repos/octo/bikes/issues/comments/1",
    ]


def test_after_a_restart_the_comment_is_found_again_and_not_written_when_it_reads_right(
    web: responses.RequestsMock, github: GitHub
) -> None:
    web.get(COMMENTS, json=[comment(1, f"{MARKED}\r\nqueued")])
    github.say(ISSUE, "run:7", "queued")
    assert [line for line in calls(web) if not line.startswith("GET")] == []


def test_a_copied_marker_and_a_marker_further_down_are_not_taken_for_ours(
    web: responses.RequestsMock, github: GitHub
) -> None:
    mine_but_quoting = comment(3, f"<!-- lifecycle-bot run:8 -->\n{MARKED}")
    web.get(COMMENTS, json=[comment(1, f"{MARKED}\nqueued", SOMEBODY), mine_but_quoting])
    web.post(COMMENTS, json=comment(2, "x"), status=201)
    github.say(ISSUE, "run:7", "queued")
    assert len(calls(web, "POST")) == 1


def test_a_comment_that_somebody_deleted_is_written_anew(web: responses.RequestsMock, github: GitHub) -> None:
    web.get(COMMENTS, json=[])
    web.post(COMMENTS, json=comment(1, "x"), status=201)
    github.say(ISSUE, "run:7", "queued")
    web.patch(f"{REPO}/issues/comments/1", json={"message": "Not Found"}, status=404)
    github.say(ISSUE, "run:7", "training")
    assert len(calls(web, "POST")) == 2


def test_the_same_words_again_cost_one_look_and_repair_what_a_person_edited(
    web: responses.RequestsMock, github: GitHub
) -> None:
    web.get(COMMENTS, json=[])
    web.post(COMMENTS, json=comment(1, f"{MARKED}\nqueued"), status=201)
    web.get(f"{REPO}/issues/comments/1", json=comment(1, f"{MARKED}\nqueued"))
    web.get(f"{REPO}/issues/comments/1", json=comment(1, "vandalised"))
    web.patch(f"{REPO}/issues/comments/1", json=comment(1, f"{MARKED}\nqueued"))
    github.say(ISSUE, "run:7", "queued")
    github.say(ISSUE, "run:7", "queued")
    assert calls(web, "PATCH") == []
    github.say(ISSUE, "run:7", "queued")
    assert len(calls(web, "PATCH")) == 1


@pytest.mark.parametrize(
    "failure", [502, 500, requests.exceptions.ReadTimeout(), requests.exceptions.ConnectionError()]
)
def test_a_write_that_was_done_but_not_answered_is_not_repeated(
    web: responses.RequestsMock, github: GitHub, failure: int | Exception
) -> None:
    web.get(COMMENTS, json=[])
    web.get(COMMENTS, json=[comment(1, f"{MARKED}\nqueued")])
    web.add("POST", COMMENTS, body=failure) if isinstance(failure, Exception) else web.post(COMMENTS, status=failure)
    assert github.say(ISSUE, "run:7", "queued").endswith("-1")
    assert len(calls(web, "POST")) == 1


def test_a_write_that_was_not_done_is_told_as_unavailable_after_one_attempt(
    web: responses.RequestsMock, github: GitHub
) -> None:
    web.get(COMMENTS, json=[])
    web.post(COMMENTS, status=502, body="<html>bad gateway</html>")
    with pytest.raises(Unavailable, match="502 to POST /repos/octo/bikes/issues/12/comments"):
        github.say(ISSUE, "run:7", "queued")
    assert len(calls(web, "POST")) == 1


def test_duplicates_from_an_uncertain_past_are_cleared_away(web: responses.RequestsMock, github: GitHub) -> None:
    web.get(COMMENTS, json=[comment(1, f"{MARKED}\nqueued"), comment(2, f"{MARKED}\nqueued")])
    web.delete(f"{REPO}/issues/comments/2", status=204)
    github.say(ISSUE, "run:7", "queued")
    assert calls(web, "DELETE") == ["DELETE /repos/octo/bikes/issues/comments/2"]


def test_a_renamed_repository_is_written_to_under_its_new_name(web: responses.RequestsMock, github: GitHub) -> None:
    web.get(COMMENTS, json=[])
    web.post(COMMENTS, status=307, json={"message": "Moved Permanently"}, headers={"Location": "elsewhere"})
    moved = REPO.replace("bikes", "cycles")
    web.get(f"{moved}/issues/12/comments", json=[])
    web.post(f"{moved}/issues/12/comments", json=comment(1, "x"), status=201)
    web.replace("GET", REPO, json=repository())
    web.get(REPO, json=repository("octo/cycles"))
    github.say(ISSUE, "run:7", "queued")
    assert calls(web, "POST")[-1] == "POST /repos/octo/cycles/issues/12/comments"


def test_a_long_text_is_cut_at_a_line_with_its_code_block_closed(web: responses.RequestsMock, github: GitHub) -> None:
    web.get(COMMENTS, json=[])
    web.post(COMMENTS, json=comment(1, "x"), status=201)
    github.say(ISSUE, "run:7", "<details>\n\n```text\n" + "ünïcödé line\n" * 9_000 + "```\n</details>")
    body = sent(web)
    assert len(body.encode()) <= LIMIT
    assert body.startswith(MARKED)
    assert "ünïcödé line\n```\n</details>\n\n*The rest is left out" in body


def test_comments_are_the_newest_two_hundred_read_from_the_end(web: responses.RequestsMock, github: GitHub) -> None:
    def page(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        number = int(str(request.params.get("page", 1)))  # type: ignore[attr-defined]
        url = "https://api.github.com/repositories/1/issues/12/comments?per_page=100&page={}"
        links = f'<{url.format(number + 1)}>; rel="next", <{url.format(9)}>; rel="last"' if number < 9 else ""
        count = 30 if number == 9 else 100
        found = [comment(number * 1000 + n, "hi", SOMEBODY) for n in range(count)]
        return 200, {"Link": links}, json.dumps(found)

    web.add_callback("GET", COMMENTS, callback=page)
    found = github.comments(ISSUE)
    assert len(found) == 200
    assert (found[0].id, found[-1].id) == ("7030", "9029")
    assert len(calls(web)) == 4


def test_comments_since_go_by_creation_and_know_edits_bots_and_ghosts(
    web: responses.RequestsMock, github: GitHub
) -> None:
    old = comment(1, "old, edited today", SOMEBODY, at="2026-02-01T00:00:00Z", updated=AT)
    bot = comment(2, "beep", {"login": "dependabot[bot]", "type": "Bot"})
    ghost = {**comment(3, "boo", updated="2026-03-02T00:00:00Z"), "user": None}
    web.get(COMMENTS, json=[old, bot, ghost])
    found = github.comments(ISSUE, datetime(2026, 3, 1, 12, tzinfo=UTC))
    assert [(c.author, c.author_is_bot, c.edited) for c in found] == [
        ("dependabot[bot]", True, False),
        ("ghost", False, True),
    ]
    assert "since=2026-03-01T12%3A00%3A00Z" in calls(web)[0]


@pytest.mark.parametrize(
    ("permission", "role", "expected"),
    [
        ("admin", "admin", Permission.ADMIN),
        ("write", "maintain", Permission.MAINTAIN),
        ("write", "write", Permission.WRITE),
        ("read", "triage", Permission.READ),
        ("write", "release-captain", Permission.WRITE),
        ("none", "none", Permission.NONE),
        ("owner-of-everything", "", Permission.NONE),
    ],
)
def test_permissions_by_role(
    web: responses.RequestsMock, github: GitHub, permission: str, role: str, expected: Permission
) -> None:
    web.get(f"{REPO}/collaborators/ada/permission", json={"permission": permission, "role_name": role})
    assert github.permission(ISSUE, "ada") is expected


def test_somebody_unknown_has_no_permission(web: responses.RequestsMock, github: GitHub) -> None:
    web.get(f"{REPO}/collaborators/nobody/permission", json={"message": "nobody is not a user"}, status=404)
    assert github.permission(ISSUE, "nobody") is Permission.NONE


def test_a_reaction_is_sent_and_a_comment_that_is_gone_is_no_error(web: responses.RequestsMock, github: GitHub) -> None:
    reactions = f"{REPO}/issues/comments/5/reactions"
    web.post(reactions, json={"id": 1, "content": "eyes"}, status=201)
    github.acknowledge(ISSUE, "5", Mark.SEEN)
    assert json.loads(web.calls[-1].request.body or "") == {"content": "eyes"}
    web.replace("POST", reactions, json={"message": "Not Found"}, status=404)
    github.acknowledge(ISSUE, "5", Mark.SEEN)


def test_a_thing_is_read_and_one_that_is_gone_is_denied(web: responses.RequestsMock, github: GitHub) -> None:
    web.get(f"{REPO}/issues/12", json=issue(12, "text", SOMEBODY, pull_request={"url": "…"}))
    thing = github.thing(ISSUE)
    assert (thing.author, thing.is_pull, thing.open, thing.body) == ("ada", True, True, "text")
    web.replace("GET", f"{REPO}/issues/12", status=410, json={"message": "This issue was deleted"})
    with pytest.raises(Denied, match="no such thing on GitHub"):
        github.thing(ISSUE)


def test_an_answer_that_is_a_page_of_some_proxy_is_unavailable(web: responses.RequestsMock, github: GitHub) -> None:
    web.get(f"{REPO}/issues/12", body="<html>Please sign in to the corporate proxy</html>", status=200)
    with pytest.raises(Unavailable, match="not the JSON"):
        github.thing(ISSUE)


def test_our_login_is_asked_for_once(web: responses.RequestsMock, github: GitHub) -> None:
    assert {github.login, github.login} == {ME["login"]}
    assert len(web.calls) == 1
