"""The GitHub adapter against the playground's GitHub, over the wire: as an App, as a person, and in bad weather."""

import json
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from bot.adapters.github import App, GitHub, Personal
from bot.adapters.github_hooks import decode
from bot.events import CheckRequested, CommentPosted, Event, PullRequestChanged, PullRequestClosed, TextChanged
from bot.playground.faults import Kind
from bot.ports import Annotation, Button, Category, Conclusion, Denied, Draft, Mark, Permission
from bot.refs import Ref
from tests.adapters.github_world import BIKES, Town

MARKED = "<!-- lifecycle-bot run:7 -->"


def test_one_comment_lives_through_restarts_renames_and_lost_answers(town: Town) -> None:
    town.fail(Kind.AFTER, "/comments", "POST")
    town.github.say(town.issue, "run:7", "queued")
    town.hub.world.comment("mira", BIKES, 1, f"{MARKED}\nmine!")
    town.hub.world.rename_repo(BIKES, "cycles")
    url = town.github.say(town.issue, "run:7", "training")
    app = next(iter(town.hub.world.apps.values()))
    again = GitHub(town.hub.api, App(app.id, app.private_key), seconds_between_writes=0.0)
    assert again.say(town.issue, "run:7", "done") == url
    assert town.comments == [f"{MARKED}\ndone", f"{MARKED}\nmine!"]
    assert town.github.login == "lifecycle-bot[bot]"


def test_a_check_is_created_updated_and_repaired_after_re_run(town: Town) -> None:
    town.fail(Kind.AFTER, "/check-runs", "POST")
    town.github.check(BIKES, town.check(Conclusion.QUEUED))
    town.github.check(BIKES, town.check(Conclusion.RUNNING, "1 of 3 stages"))
    town.github.check(BIKES, town.check(Conclusion.FAILURE, "worse by 3 %"))
    (run,) = town.hub.world.check_runs(town.repo)
    assert (run.status, run.conclusion, run.title, run.external_id) == ("completed", "failure", "worse by 3 %", "run:7")
    run.status, run.conclusion = "queued", None
    town.github.check(BIKES, town.check(Conclusion.FAILURE, "worse by 3 %"))
    assert [run.status, run.conclusion] == ["completed", "failure"]
    writes = town.hub.faults.count("POST|PATCH", "check-runs")
    town.github.check(BIKES, town.check(Conclusion.FAILURE, "worse by 3 %"))
    assert town.hub.faults.count("POST|PATCH", "check-runs") == writes == 4


def test_a_persons_token_writes_statuses_instead(town: Town) -> None:
    token = town.hub.world.personal_token("jonas")
    github = GitHub(town.hub.api, Personal(token), seconds_between_writes=0.0)
    for conclusion in (Conclusion.RUNNING, Conclusion.SUCCESS, Conclusion.SUCCESS):
        github.check(BIKES, town.check(conclusion))
    states = [status.state for status in town.hub.world.statuses(town.repo, github.head(BIKES).commit)]
    assert states == ["success", "pending"]
    assert town.hub.faults.count("POST", "check-runs") == 1
    assert github.login == "jonas"
    assert github.source(BIKES).credential() == ("x-access-token", token)


def test_an_issue_of_ours_is_opened_once_revised_linked_and_closed(town: Town) -> None:
    town.fail(Kind.HANGUP_AFTER, "/issues", "POST")
    draft = Draft("Retrain bike-demand", "Drift in temp.", ("drift",))
    ref = town.github.open(BIKES, "retrain:bikes", draft)
    assert town.github.open(BIKES, "retrain:bikes", draft) == ref == town.github.find(BIKES, "retrain:bikes")
    town.github.relate(ref, "https://bot.example/runs/7", "run 7")
    town.github.revise(ref, Draft("Retrain bike-demand", "Drift in hum.", ("drift",)))
    town.github.move(ref, Category.COMPLETED)
    issue = town.hub.world.issue(BIKES, ref.number)
    assert (issue.state, issue.state_reason) == ("closed", "completed")
    assert {label.name for label in issue.labels} == {"lifecycle-bot", "drift"}
    assert "Drift in hum." in (issue.body or "")
    assert "[run 7](https://bot.example/runs/7)" in (issue.body or "")
    assert town.github.open(BIKES, "retrain:bikes", draft) == ref  # closed is found too
    assert town.github.category(ref) is Category.COMPLETED
    town.github.move(ref, Category.IN_PROGRESS)
    assert town.github.thing(ref).open


def test_permissions_and_reactions(town: Town) -> None:
    town.hub.world.user("eve")
    asked = {login: town.github.permission(town.issue, login) for login in ("mira", "jonas", "sam", "eve", "nobody")}
    assert asked == {
        "mira": Permission.WRITE,
        "jonas": Permission.MAINTAIN,
        "sam": Permission.READ,
        "eve": Permission.READ,  # the repository is public
        "nobody": Permission.NONE,
    }
    comment = town.hub.world.comment("mira", BIKES, 1, "/train")
    for _ in range(2):
        town.github.acknowledge(town.issue, str(comment.id), Mark.SEEN)
    assert [(one.user.login, one.content) for one in comment.reactions] == [("lifecycle-bot[bot]", "eyes")]
    (told,) = town.github.comments(town.issue)
    assert (told.author, told.body, told.author_is_bot) == ("mira", "/train", False)


def test_pull_requests_labels_and_the_source(town: Town) -> None:
    world = town.hub.world
    sha = world.push("mira", BIKES, "better", {"train.py": "print(2)\n"}, "better")
    number = world.pull_open("mira", BIKES, "Better", "better", body="AB#12").number
    fork = world.fork("sam", BIKES)
    world.push("sam", fork, "patch", {"train.py": "print(3)\n"}, "patch")
    foreign = world.pull_open("sam", BIKES, "Mine", "sam:patch").number
    ref = Ref("github", BIKES, number)
    pull = town.github.pull(ref)
    assert (pull.head, pull.base_branch, pull.author, pull.from_fork, pull.draft) == (sha, "main", "mira", False, False)
    assert {one.ref.number: one.from_fork for one in town.github.open_pulls(BIKES)} == {number: False, foreign: True}
    for present in (True, True, False, False):
        town.github.label(ref, "ready to train", present)
        assert [one.name for one in world.issue(BIKES, number).labels] == ["ready to train"] * present
    assert town.hub.faults.count("POST|DELETE", "/labels") == 2
    assert town.github.head(BIKES, "better").commit == sha
    assert town.github.source(BIKES).url == f"{town.hub.url}/{BIKES}.git"
    user, secret = town.github.source(BIKES).credential() or ("", "")
    assert (user, secret[:4]) == ("x-access-token", "ghs_")


def test_where_the_app_is_not_installed_it_says_so(town: Town) -> None:
    town.hub.world.create_repo("acme/cars", {"a": "b"})
    with pytest.raises(Denied, match="not installed on acme/cars"):
        town.github.thing(Ref("github", "acme/cars", 1))


def test_what_an_app_lacks_is_known(town: Town) -> None:
    assert town.github.lacking(BIKES) == ()
    app = town.hub.world.app("poor", permissions={"issues": "read", "contents": "read"}, events=["issues"])
    poor = GitHub(town.hub.api, App(app.id, app.private_key))
    assert poor.lacking(BIKES) == (
        "issues: write",
        "pull_requests: write",
        "checks: write",
        "event issue_comment",
        "event pull_request",
        "event check_run",
    )
    assert GitHub(town.hub.api, Personal("x")).lacking(BIKES) == ()


def test_a_whole_validation_takes_at_most_twelve_writes(town: Town) -> None:
    town.hub.faults.forget()
    comment = town.hub.world.comment("mira", BIKES, 1, "/train")
    town.github.acknowledge(town.issue, str(comment.id), Mark.SEEN)
    stages = [(Conclusion.RUNNING, f"{stage} of 4 stages") for stage in range(4)]
    for conclusion, title in [*stages, (Conclusion.SUCCESS, "better by 3 %")]:
        town.github.check(BIKES, town.check(conclusion, title))
        town.github.say(town.issue, "run:7", title)
    calls = [call for call in town.hub.faults.log if "/access_tokens" not in call.path]
    writes = [call for call in calls if call.method != "GET"]
    assert len(writes) == 11
    # Each check here asks for the head first, twice two reads; what remains is names, logins and one look each.
    assert len(calls) - len(writes) - 2 * 5 <= 6


def test_the_playgrounds_webhooks_are_events(town: Town) -> None:
    got: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.headers["X-GitHub-Event"], body))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        _make_things_happen(town, f"http://127.0.0.1:{server.server_address[1]}/")
    finally:
        server.shutdown()
        server.server_close()
    assert {json.loads(body).get("action") for kind, body in got if kind == "ping"} == {None}
    events: list[Event] = [event for kind, body in got for event in decode(kind, body)]
    kinds = {type(event) for event in events}
    assert kinds == {CommentPosted, TextChanged, PullRequestChanged, PullRequestClosed, CheckRequested}
    comment = next(event for event in events if isinstance(event, CommentPosted))
    assert (comment.ref, comment.author, comment.on_pull) == (f"github:{BIKES}#2", "mira", True)
    again = next(event for event in events if isinstance(event, CheckRequested))
    assert (again.place, again.external, again.author) == (BIKES, "run:7", "jonas")


def _make_things_happen(town: Town, url: str) -> None:
    world = town.hub.world
    world.app_webhook(next(iter(world.apps.values())), url, "secret")
    town.github.check(BIKES, town.check(Conclusion.FAILURE))
    world.check_rerequest("jonas", world.check_runs(town.repo)[0])
    world.push("mira", BIKES, "better", {"train.py": "print(2)\n"}, "better")
    pull = world.pull_open("mira", BIKES, "Better", "better")
    world.comment("mira", BIKES, pull.number, "/train bike-demand")
    world.merge("jonas", BIKES, pull.number)
    assert world.courier.drain(10)


def test_annotations_are_added_once_in_lots_of_fifty_and_buttons_come_and_go(town: Town) -> None:
    notes = tuple(Annotation("train.py", line, "warning", "t" * 300, f"{line} " + "m" * 70_000) for line in range(120))
    button = Button("Accept as is", "Let this commit pass", "accept")
    check = replace(town.check(Conclusion.FAILURE), annotations=notes, buttons=(button,))
    town.github.check(BIKES, check)
    (run,) = town.hub.world.check_runs(town.repo)
    assert len(run.annotations) == 120
    assert [one["identifier"] for one in run.actions] == ["accept"]
    again = GitHub(town.hub.api, town.app, seconds_between_writes=0.0, timeout=3)  # forgot what it has written
    again.check(
        BIKES, replace(check, annotations=(*notes, Annotation("train.py", 7, "notice", "new", "new")), buttons=())
    )
    (run,) = town.hub.world.check_runs(town.repo)
    assert len(run.annotations) == 121
    assert run.actions == []
