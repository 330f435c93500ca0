"""Issues of ours on GitHub: one for each marker, people's text untouched."""

import json
from typing import Any

import pytest
import responses

from bot.adapters.github import GitHub
from bot.ports import Category, Denied, Draft
from bot.refs import Ref
from tests.adapters.conftest import ISSUE, REPO, SOMEBODY, calls, issue

ISSUES = f"{REPO}/issues"
DRAFT = Draft("Retrain bike-demand", "Drift in **temp**.", ("drift",), "problem", 2)
BLOCK = "<!-- lifecycle-bot begin drift:bikes -->\nDrift in **temp**.\n<!-- lifecycle-bot end -->"


def sent(web: responses.RequestsMock) -> Any:
    return json.loads(web.calls[-1].request.body or "{}")


def test_an_issue_is_opened_once_with_its_labels(web: responses.RequestsMock, github: GitHub) -> None:
    web.get(ISSUES, json=[])
    web.post(ISSUES, json=issue(12, BLOCK), status=201)
    web.get(f"{ISSUES}/12", json=issue(12, BLOCK))
    assert github.open("octo/bikes", "drift:bikes", DRAFT) == ISSUE
    assert sent(web) == {"title": "Retrain bike-demand", "body": BLOCK, "labels": ["lifecycle-bot", "drift"]}
    assert github.open("octo/bikes", "drift:bikes", DRAFT) == ISSUE
    assert len(calls(web, "POST")) == 1
    assert "labels=lifecycle-bot&per_page=100&sort=created&state=all" in calls(web)[0]


def test_a_closed_issue_is_found_and_somebody_elses_copy_is_not(web: responses.RequestsMock, github: GitHub) -> None:
    web.get(ISSUES, json=[issue(11, BLOCK, SOMEBODY), issue(12, f"see below\n{BLOCK}", state="closed")])
    assert github.find("octo/bikes", "drift:bikes") == ISSUE
    assert github.find("octo/bikes", "drift") is None


def test_an_issue_whose_creation_was_not_answered_is_not_made_twice(
    web: responses.RequestsMock, github: GitHub
) -> None:
    web.get(ISSUES, json=[])
    web.get(ISSUES, json=[issue(12, BLOCK)])
    web.post(ISSUES, status=502)
    assert github.open("octo/bikes", "drift:bikes", DRAFT) == ISSUE
    assert len(calls(web, "POST")) == 1


def test_an_issue_that_was_deleted_is_opened_anew(web: responses.RequestsMock, github: GitHub) -> None:
    web.get(ISSUES, json=[])
    web.post(ISSUES, json=issue(12, BLOCK), status=201)
    web.post(ISSUES, json=issue(13, BLOCK), status=201)
    web.get(f"{ISSUES}/12", json={"message": "This issue was deleted"}, status=410)
    github.open("octo/bikes", "drift:bikes", DRAFT)
    assert github.open("octo/bikes", "drift:bikes", DRAFT).number == 13


def test_revising_changes_our_block_and_leaves_people_their_words_and_labels(
    web: responses.RequestsMock, github: GitHub
) -> None:
    body = f"Bob here: I look into it.\n\n{BLOCK}\n\nMy notes."
    web.get(f"{ISSUES}/12", json=issue(12, body, labels=[{"name": "urgent"}, {"name": "lifecycle-bot"}]))
    web.patch(f"{ISSUES}/12", json=issue(12))
    github.revise(ISSUE, Draft("Retrain bike-demand", "Still <!-- lifecycle-bot end --> drifting.", ("drift",)))
    assert sent(web) == {
        "body": body.replace("Drift in **temp**.", "Still &lt;!-- lifecycle-bot end --> drifting."),
        "labels": ["urgent", "lifecycle-bot", "drift"],
    }


def test_revising_to_what_it_reads_already_writes_nothing(web: responses.RequestsMock, github: GitHub) -> None:
    labels = [{"name": "lifecycle-bot"}, {"name": "drift"}]
    web.get(f"{ISSUES}/12", json=issue(12, BLOCK.replace("\n", "\r\n"), labels=labels))
    github.revise(ISSUE, DRAFT)
    assert calls(web, "PATCH") == []


def test_somebody_elses_issue_is_never_revised(web: responses.RequestsMock, github: GitHub) -> None:
    web.get(f"{ISSUES}/12", json=issue(12, "", SOMEBODY))
    with pytest.raises(Denied, match="opened by ada"):
        github.revise(ISSUE, DRAFT)


@pytest.mark.parametrize(
    ("state", "reason", "category", "change"),
    [
        ("open", None, Category.COMPLETED, {"state": "closed", "state_reason": "completed"}),
        ("open", None, Category.REMOVED, {"state": "closed", "state_reason": "not_planned"}),
        ("open", None, Category.RESOLVED, None),
        ("closed", "completed", Category.COMPLETED, None),
        ("closed", "completed", Category.REMOVED, {"state": "closed", "state_reason": "not_planned"}),
        ("closed", "not_planned", Category.COMPLETED, None),
        ("closed", "not_planned", Category.IN_PROGRESS, {"state": "open"}),
    ],
)
def test_moving_closes_and_reopens(
    web: responses.RequestsMock, github: GitHub, state: str, reason: str | None, category: Category, change: Any
) -> None:
    web.get(f"{ISSUES}/12", json=issue(12, state=state, state_reason=reason))
    web.patch(f"{ISSUES}/12", json=issue(12))
    github.move(ISSUE, category)
    assert (sent(web) if calls(web, "PATCH") else None) == change


def test_links_gather_in_our_own_issues_only_and_once(web: responses.RequestsMock, github: GitHub) -> None:
    web.get(f"{ISSUES}/12", json=issue(12, BLOCK))
    web.patch(f"{ISSUES}/12", json=issue(12))
    github.relate(ISSUE, "https://bot.example/runs/7", "run 7 by @ada [x]")
    body = sent(web)["body"]
    assert body.startswith(BLOCK)
    assert "- [run 7 by @\u200bada \\[x\\]](https://bot.example/runs/7)\n<!-- lifecycle-bot end links -->" in body
    web.replace("GET", f"{ISSUES}/12", json=issue(12, body))
    github.relate(ISSUE, "https://bot.example/runs/7", "run 7")
    assert len(calls(web, "PATCH")) == 1
    github.relate(ISSUE, "https://bot.example/runs/8", "run 8")
    assert sent(web)["body"].count("**Linked**") == 1
    github.revise(ISSUE, Draft("Retrain bike-demand", "new"))
    assert "runs/7" in sent(web)["body"]
    web.get(f"{ISSUES}/14", json=issue(14, "people's text", SOMEBODY))
    before = len(calls(web, "PATCH"))
    github.relate(Ref("github", "octo/bikes", 14), "https://bot.example/runs/7", "run 7")
    assert len(calls(web, "PATCH")) == before
