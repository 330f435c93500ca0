"""Pages with issues and pull requests, and the forms by which a person takes part."""

from collections import Counter

from flask import Response, request
from werkzeug.wrappers.response import Response as AnyResponse

from bot.playground.github.gate import world
from bot.playground.github.grants import CheckRun, Status
from bot.playground.github.pages import back, find_repo, pages, show, tabs, writer
from bot.playground.github.problems import Problem
from bot.playground.github.records import Comment, Issue, Note, Reaction, Repo, User

FACES = {
    "+1": "👍", "-1": "👎", "laugh": "😄", "confused": "😕", "heart": "❤️", "hooray": "🎉", "rocket": "🚀", "eyes": "👀",
}  # fmt: skip


@pages.app_template_filter("faces")
def faces(reactions: list[Reaction]) -> list[tuple[str, int, str]]:
    """(face, how many, who) of each kind of reaction."""
    counts = Counter(one.content for one in reactions)
    names = {content: ", ".join(one.user.login for one in reactions if one.content == content) for content in counts}
    return [(FACES[content], count, names[content]) for content, count in counts.items()]


def _list(owner: str, name: str, pulls: bool) -> str:
    repo, state = find_repo(owner, name), request.args.get("state", "open")
    kind = [issue for issue in repo.issues.values() if (issue.pull is not None) == pulls]
    shown = sorted((issue for issue in kind if issue.state == state), key=lambda issue: -issue.number)
    counts = Counter(issue.state for issue in kind)
    tab = "pulls" if pulls else "issues"
    checks = {issue.number: _checks(issue) for issue in shown if issue.pull}
    facts = {"repo": repo, "tabs": tabs(repo), "tab": tab, "issues": shown, "state": state, "checks": checks}
    return show("github_list.html", counts=counts, **facts)


@pages.get("/<owner>/<name>/issues")
def issue_list(owner: str, name: str) -> str:
    return _list(owner, name, pulls=False)


@pages.get("/<owner>/<name>/pulls")
def pull_list(owner: str, name: str) -> str:
    return _list(owner, name, pulls=True)


@pages.get("/<owner>/<name>/issues/new")
def new_issue(owner: str, name: str) -> str:
    repo = find_repo(owner, name)
    return show("github_new.html", repo=repo, tabs=tabs(repo), tab="issues")


@pages.post("/<owner>/<name>/issues/new")
def open_issue(owner: str, name: str) -> AnyResponse:
    who = writer()
    issue = world().issue_open(who, _readable(find_repo(owner, name), who), request.form["title"], request.form["body"])
    return back(issue.web.removeprefix(world().site.url), who)


def _readable(repo: Repo, who: User) -> Repo:
    if not world().may(who, repo, "read"):
        raise Problem(404, f"{who.login} cannot see this repository.")
    return repo


def _checks(issue: Issue) -> list[CheckRun | Status]:
    """The latest checks and statuses of a pull request's head."""
    if issue.pull is None:
        return []
    sha = issue.pull.head_sha
    return [*world().check_runs(issue.repo, sha, latest=True), *world().statuses(issue.repo, sha, latest=True)]


def _timeline(issue: Issue) -> list[Comment | Note]:
    def at(entry: Comment | Note) -> float:
        return (entry.created_at if isinstance(entry, Comment) else entry.at).timestamp()

    return sorted([*issue.comments, *issue.notes], key=at)


@pages.get("/<owner>/<name>/issues/<int:number>")
def issue_page(owner: str, name: str, number: int) -> str | AnyResponse:
    issue = world().issue(find_repo(owner, name), number)
    return back(f"/{owner}/{name}/pull/{number}") if issue.pull else _conversation(issue)


@pages.get("/<owner>/<name>/pull/<int:number>")
def pull_page(owner: str, name: str, number: int) -> str:
    return _conversation(world().pull(find_repo(owner, name), number)[0])


def _conversation(issue: Issue) -> str:
    repo = issue.repo
    tab = "pulls" if issue.pull else "issues"
    facts = {"repo": repo, "tabs": tabs(repo), "tab": tab, "issue": issue, "checks": _checks(issue)}
    files = world().pull_files(issue, issue.pull) if issue.pull else []
    return show("github_issue.html", timeline=_timeline(issue), is_comment=_is_comment, files=files, **facts)


def _is_comment(entry: Comment | Note) -> bool:
    return isinstance(entry, Comment)


@pages.get("/<owner>/<name>/pull/<int:number>/files")
def pull_files_page(owner: str, name: str, number: int) -> str:
    issue, code = world().pull(find_repo(owner, name), number)
    facts = {"repo": issue.repo, "tabs": tabs(issue.repo), "tab": "pulls", "issue": issue}
    return show("github_files.html", files=world().pull_files(issue, code), **facts)


@pages.get("/<owner>/<name>/pull/<int:number>.diff")
def pull_diff(owner: str, name: str, number: int) -> Response:
    issue, code = world().pull(find_repo(owner, name), number)
    git = issue.repo.git
    meeting = git.merge_base(code.base_sha, code.head_sha) or code.base_sha
    return Response(git.run("diff", "--no-color", "--no-ext-diff", meeting, code.head_sha), mimetype="text/plain")


@pages.post("/<owner>/<name>/issues/<int:number>/comment")
def add_comment(owner: str, name: str, number: int) -> AnyResponse:
    who = writer()
    repo = _readable(find_repo(owner, name), who)
    comment = world().comment(who, repo, number, request.form.get("body", ""))
    return back(f"{comment.issue.web.removeprefix(world().site.url)}#issuecomment-{comment.id}", who)


@pages.post("/<owner>/<name>/issues/<int:number>/<any(close,reopen,ready,draft,merge,approve):act>")
def act(owner: str, name: str, number: int, act: str) -> AnyResponse:
    """The buttons under a conversation."""
    who, github = writer(), world()
    issue = github.issue(find_repo(owner, name), number)
    needed = "write" if act in ("merge", "approve") else "triage"
    own = issue.user is who and act not in ("merge", "approve")
    if not own and not github.may(who, issue.repo, needed):
        raise Problem(403, f"{who.login} may not do this here: it takes {needed} permission.")
    match act:
        case "close" | "reopen":
            if request.form.get("body", "").strip():
                github.comment(who, issue.repo, number, request.form["body"])
            github.set_state(who, issue, "closed" if act == "close" else "open")
        case "ready" | "draft":
            github.set_draft(who, issue.repo, number, act == "draft")
        case "merge":
            github.merge(who, issue.repo, number)
        case _:
            github.review(who, issue.repo, number, "APPROVED")
    return back(issue.web.removeprefix(github.site.url), who)


@pages.post("/<owner>/<name>/issues/<int:number>/edit/<int:comment>")
def edit(owner: str, name: str, number: int, comment: int) -> AnyResponse:
    """Change a comment's text, or delete the comment."""
    who, repo = writer(), find_repo(owner, name)
    it = world().find_comment(repo, comment)
    if it.user is not who and not world().may(who, repo, "write"):
        raise Problem(403, f"{who.login} may not change somebody else's comment.")
    if "delete" in request.form:
        world().delete_comment(who, it)
    else:
        world().edit_comment(who, it, request.form.get("body", ""))
    return back(f"/{owner}/{name}/issues/{number}", who)


@pages.get("/<owner>/<name>/runs/<int:number>")
def check_page(owner: str, name: str, number: int) -> str:
    repo = find_repo(owner, name)
    run = world().check_run(repo, number)
    pulls = [issue for issue in repo.issues.values() if issue.pull and issue.pull.head_sha == run.head_sha]
    return show("github_check.html", repo=repo, tabs=tabs(repo), tab="pulls", run=run, pulls=pulls)


@pages.post("/<owner>/<name>/runs/<int:number>")
def press(owner: str, name: str, number: int) -> AnyResponse:
    """“Re-run”, or one of the check's own buttons."""
    who, repo = writer(), find_repo(owner, name)
    run = world().check_run(repo, number)
    if not world().may(who, repo, "write"):
        raise Problem(403, f"{who.login} may not do this here: it takes write permission.")
    if identifier := request.form.get("identifier"):
        world().check_action(who, run, identifier)
    else:
        world().check_rerequest(who, run)
    return back(f"/{owner}/{name}/runs/{number}", who)
