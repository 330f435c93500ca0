"""Checks, heads, pull requests and labels on GitHub, also when it answers badly."""

import json
from typing import Any

import pytest
import responses

from bot.adapters.github import GitHub
from bot.ports import Check, Conclusion, Denied, Unavailable
from bot.refs import Ref
from tests.adapters.conftest import AT, ISSUE, REPO, SOMEBODY, calls, repository

SHA = "a" * 40
RUNS = f"{REPO}/check-runs"
OF_COMMIT = f"{REPO}/commits/{SHA}/check-runs"
APP_ONLY = {"message": "You must authenticate via a GitHub App."}


def check(conclusion: Conclusion, title: str = "0 of 3 stages", summary: str = "…") -> Check:
    return Check(SHA, "lifecycle / bike-demand", "run:7", conclusion, title, summary, "https://bot.example/runs/7")


def run(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": number, "head_sha": SHA, "external_id": "run:7", "status": "queued", "conclusion": None, **fields}


def sent(web: responses.RequestsMock) -> Any:
    return json.loads(web.calls[-1].request.body or "{}")


def test_a_check_is_created_then_updated_and_concluded(web: responses.RequestsMock, github: GitHub) -> None:
    web.get(OF_COMMIT, json={"total_count": 0, "check_runs": []})
    web.post(RUNS, json=run(1), status=201)
    web.patch(f"{RUNS}/1", json=run(1))
    github.check("octo/bikes", check(Conclusion.QUEUED))
    assert sent(web) == {
        "name": "lifecycle / bike-demand",
        "head_sha": SHA,
        "external_id": "run:7",
        "status": "queued",
        "details_url": "https://bot.example/runs/7",
        "output": {"title": "0 of 3 stages", "summary": "…"},
    }
    github.check("octo/bikes", check(Conclusion.FAILURE, "worse by 3 %"))
    assert (sent(web)["status"], sent(web)["conclusion"]) == ("completed", "failure")
    assert [line.split()[0] for line in calls(web)] == ["GET", "POST", "PATCH"]


def test_a_check_is_found_by_its_external_id_after_a_restart(web: responses.RequestsMock, github: GitHub) -> None:
    web.get(OF_COMMIT, json={"check_runs": [run(1, external_id="run:6"), run(2)]})
    web.patch(f"{RUNS}/2", json=run(2))
    github.check("octo/bikes", check(Conclusion.RUNNING))
    assert calls(web, "POST") == []
    assert sent(web)["status"] == "in_progress"


def test_the_same_check_again_is_looked_at_since_re_run_resets_it(web: responses.RequestsMock, github: GitHub) -> None:
    web.get(OF_COMMIT, json={"check_runs": []})
    web.post(RUNS, json=run(1), status=201)
    web.get(f"{RUNS}/1", json=run(1, status="completed", conclusion="success"))
    web.get(f"{RUNS}/1", json=run(1, status="queued"))
    web.patch(f"{RUNS}/1", json=run(1, status="completed", conclusion="success"))
    for _ in range(3):
        github.check("octo/bikes", check(Conclusion.SUCCESS))
    assert [line.split()[0] for line in calls(web)] == ["GET", "POST", "GET", "GET", "PATCH"]


def test_a_check_whose_creation_was_not_answered_is_not_made_twice(web: responses.RequestsMock, github: GitHub) -> None:
    web.get(OF_COMMIT, json={"check_runs": []})
    web.get(OF_COMMIT, json={"check_runs": [run(1)]})
    web.post(RUNS, status=502)
    github.check("octo/bikes", check(Conclusion.QUEUED))
    assert len(calls(web, "POST")) == 1


def test_a_summary_is_cut_in_bytes(web: responses.RequestsMock, github: GitHub) -> None:
    web.get(OF_COMMIT, json={"check_runs": []})
    web.post(RUNS, json=run(1), status=201)
    github.check("octo/bikes", check(Conclusion.QUEUED, summary="äöü\n" * 20_000))
    assert 60_000 < len(sent(web)["output"]["summary"].encode()) <= 65_535


def test_where_checks_are_denied_there_are_statuses_and_checks_are_not_tried_again(
    web: responses.RequestsMock, github: GitHub
) -> None:
    web.get(OF_COMMIT, json={"check_runs": []})
    web.post(RUNS, json=APP_ONLY, status=403)
    web.get(f"{REPO}/commits/{SHA}/statuses", json=[])
    web.post(f"{REPO}/statuses/{SHA}", json={"context": "lifecycle / bike-demand", "state": "pending"}, status=201)
    github.check("octo/bikes", check(Conclusion.RUNNING))
    assert sent(web) == {
        "context": "lifecycle / bike-demand",
        "state": "pending",
        "description": "0 of 3 stages",
        "target_url": "https://bot.example/runs/7",
    }
    github.check("octo/bikes", check(Conclusion.FAILURE, "worse " * 50))
    assert sent(web)["state"] == "failure"
    assert len(sent(web)["description"]) == 140
    assert len(calls(web, "POST /repos/octo/bikes/check-runs")) == 1
    before = len(web.calls)
    github.check("octo/bikes", check(Conclusion.FAILURE, "worse " * 50))
    assert len(web.calls) == before


def test_a_status_that_reads_so_already_is_not_written_again_after_a_restart(
    web: responses.RequestsMock, github: GitHub
) -> None:
    web.get(OF_COMMIT, json=APP_ONLY, status=403)
    now = {"context": "lifecycle / bike-demand", "state": "success", "description": "better"}
    older = {**now, "state": "pending"}
    web.get(f"{REPO}/commits/{SHA}/statuses", json=[{**now, "target_url": "https://bot.example/runs/7"}, older])
    github.check("octo/bikes", check(Conclusion.SUCCESS, "better"))
    assert calls(web, "POST") == []


def test_where_statuses_are_denied_too_it_is_denied(web: responses.RequestsMock, github: GitHub) -> None:
    web.get(OF_COMMIT, json=APP_ONLY, status=403)
    web.get(f"{REPO}/commits/{SHA}/statuses", json=[])
    web.post(f"{REPO}/statuses/{SHA}", json={"message": "Resource not accessible by personal access token"}, status=403)
    with pytest.raises(Denied, match="Resource not accessible by personal access token"):
        github.check("octo/bikes", check(Conclusion.SUCCESS))


def test_a_limit_is_not_taken_for_a_missing_permission(web: responses.RequestsMock, github: GitHub) -> None:
    web.get(OF_COMMIT, json={"check_runs": []})
    secondary = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
    web.post(RUNS, json=secondary, status=403, headers={"Retry-After": "17"})
    with pytest.raises(Unavailable) as told:
        github.check("octo/bikes", check(Conclusion.QUEUED))
    assert told.value.after == 17


def pull(number: int = 3, **fields: Any) -> dict[str, Any]:
    base = {"ref": "main", "sha": "b" * 40, "repo": repository()}
    head = {"ref": "better", "sha": SHA, "repo": repository()}
    usual = {"number": number, "title": "Deeper trees", "state": "open", "updated_at": AT, "user": SOMEBODY}
    return {
        **usual,
        "head": head,
        "base": base,
        "body": None,
        "html_url": "https://github.com/octo/bikes/pull/3",
        **fields,
    }


def test_a_pull_request_says_whether_it_is_a_fork_and_what_it_was_merged_as(
    web: responses.RequestsMock, github: GitHub
) -> None:
    ref = Ref("github", "octo/bikes", 3)
    web.get(f"{REPO}/pulls/3", json=pull(merge_commit_sha="c" * 40))
    web.get(f"{REPO}/pulls/3", json=pull(state="closed", merged=True, merge_commit_sha="c" * 40))
    web.get(f"{REPO}/pulls/3", json=pull(head={"ref": "x", "sha": SHA, "repo": None}))
    web.get(f"{REPO}/pulls/3", json=pull(head={"ref": "x", "sha": SHA, "repo": repository("eve/bikes")}))
    first, merged, gone, fork = (github.pull(ref) for _ in range(4))
    assert (first.head, first.base, first.base_branch, first.merged_as) == (SHA, "b" * 40, "main", None)
    assert (merged.open, merged.merged_as) == (False, "c" * 40)
    assert [first.from_fork, gone.from_fork, fork.from_fork] == [False, True, True]


def test_open_pull_requests_come_from_all_pages(web: responses.RequestsMock, github: GitHub) -> None:
    link = '<https://api.github.com/repositories/1/pulls?state=open&per_page=100&page=2>; rel="next"'
    web.get(f"{REPO}/pulls?per_page=100&state=open", json=[pull(1)], headers={"Link": link})
    web.get(f"{REPO}/pulls?per_page=100&state=open&page=2", json=[pull(2)])
    assert [one.ref.number for one in github.open_pulls("octo/bikes")] == [1, 2]


def test_a_head_of_a_named_and_of_the_default_branch(web: responses.RequestsMock, github: GitHub) -> None:
    web.get(f"{REPO}/branches/main", json={"name": "main", "commit": {"sha": SHA}})
    web.get(f"{REPO}/branches/feature%2Fdeep", json={"name": "feature/deep", "commit": {"sha": "d" * 40}})
    assert github.head("octo/bikes").commit == SHA
    assert github.head("octo/bikes", "feature/deep").branch == "feature/deep"


def test_a_label_is_put_on_and_taken_off_only_where_needed(web: responses.RequestsMock, github: GitHub) -> None:
    web.get(f"{REPO}/issues/12/labels", json=[{"name": "Needs Training"}])
    web.post(f"{REPO}/issues/12/labels", json=[])
    web.delete(f"{REPO}/issues/12/labels/Needs%20Training", json=[])
    github.label(ISSUE, "needs training", present=True)
    github.label(ISSUE, "drift", present=False)
    assert calls(web, "POST") == calls(web, "DELETE") == []
    github.label(ISSUE, "drift", present=True)
    github.label(ISSUE, "Needs Training", present=False)
    assert sent(web) == {}
    assert len(calls(web, "POST")) == len(calls(web, "DELETE")) == 1


def test_the_source_carries_the_secret_only_on_request(web: responses.RequestsMock, github: GitHub) -> None:
    source = github.source("octo/bikes")
    assert source.url == "https://github.com/octo/bikes.git"
    assert source.credential() == ("x-access-token", "ghp_secret")
    assert "ghp_secret" not in repr(source)
