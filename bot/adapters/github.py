"""Implements bot.ports.Talk, Forge, Tracker and History on GitHub and GitHub Enterprise Server, through PyGithub."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from urllib.parse import quote

from bot.adapters.github_auth import App, Personal
from bot.adapters.github_checks import Checks
from bot.adapters.github_comments import Comments
from bot.adapters.github_errors import Gone
from bot.adapters.github_history import History
from bot.adapters.github_issues import Issues
from bot.adapters.github_line import Pacing
from bot.adapters.github_session import Session, once_more
from bot.adapters.github_shapes import Branch, Pull, Role, login_of
from bot.doubts import LAG
from bot.ports import Category, Check, Comment, Draft, Head, Mark, Missed, Permission, PullRequest, Thing
from bot.refs import Ref
from lifecycle import Source

__all__ = ["App", "GitHub", "Personal"]

ROLES = {
    "admin": Permission.ADMIN,
    "maintain": Permission.MAINTAIN,
    "write": Permission.WRITE,
    "triage": Permission.READ,
    "read": Permission.READ,
    "none": Permission.NONE,
}
# The least with which everything works; docs/connect.md says what each is for.
RIGHTS = {"contents": "read", "issues": "write", "pull_requests": "write", "checks": "write"}
EVENTS = ("issues", "issue_comment", "pull_request", "check_run")
AT = {"read": ("read", "write", "admin"), "write": ("write", "admin")}


class GitHub:
    """One GitHub: `url` is https://api.github.com or https://HOST/api/v3; safe to use from any thread.

    Writes are sent once each and at least `seconds_between_writes` apart for every installation, and by the turns
    that `pacing` gives, where there is one; `timeout` is in seconds, for connecting and for reading each. `login` is
    who we are; it is asked for where it is not given. `lag` is for how many seconds a list may not show what was
    written.
    Raises Denied where the App's private key cannot be read.
    """

    def __init__(
        self,
        url: str,
        auth: Personal | App,
        *,
        seconds_between_writes: float = 1.0,
        timeout: int = 15,
        login: str | None = None,
        pacing: Pacing | None = None,
        lag: float = LAG,
    ) -> None:
        self._session = Session(url, auth, seconds_between_writes, timeout, login, pacing)
        self._comments = Comments(self._session, lag)
        self._checks = Checks(self._session, lag)
        self._issues = Issues(self._session, 3 * lag)  # labels and searches are later than lists
        self._history = History(self._session, seconds_between_writes)

    @property
    def login(self) -> str:
        """The login that our comments carry, asked for once. Raises Unavailable and Denied."""
        return self._session.access.login

    def lacking(self, place: str) -> tuple[str, ...]:
        """What the App lacks on the repository, as `checks: write` or `event issue_comment`, for `doctor` to tell.

        Nothing is known of a token's rights without trying them: empty. Raises Unavailable, and Denied where the App
        is not installed.
        """
        if not self._session.access.is_app:
            return ()
        found = self._session.access.found(place)
        rights = (f"{name}: {level}" for name, level in RIGHTS.items() if found.permissions.get(name) not in AT[level])
        return (*rights, *(f"event {name}" for name in EVENTS if name not in found.events))

    def permission(self, ref: Ref, login: str) -> Permission:
        """Of a collaborator, by role (an organisation's own roles count as what they are built on)."""
        try:
            role = self._session.get(ref.place, f"/collaborators/{quote(login, safe='')}/permission", Role)
        except Gone:
            return Permission.NONE  # no such account, or none that this repository knows
        return ROLES.get(role.role_name, ROLES.get(role.permission, Permission.NONE))

    def thing(self, ref: Ref) -> Thing:
        return self._issues.thing(ref)

    def comments(self, ref: Ref, since: datetime | None = None) -> Sequence[Comment]:
        return self._comments.list(ref, since)

    def say(self, ref: Ref, marker: str, text: str, urgent: bool = True) -> str:
        with self._session.urgency(ref.place, urgent):
            return once_more(partial(self._comments.say, ref, marker, text))

    def acknowledge(self, ref: Ref, comment: str, mark: Mark) -> None:
        with self._session.urgency(ref.place, urgent=False):
            once_more(partial(self._comments.acknowledge, ref, comment, mark))

    def pull(self, ref: Ref) -> PullRequest:
        return _told(ref.place, self._session.get(ref.place, f"/pulls/{ref.number}", Pull))

    def head(self, place: str, branch: str | None = None) -> Head:
        name = branch or self._session.repository(place, fresh=True).default_branch
        found = self._session.get(place, f"/branches/{quote(name, safe='')}", Branch)
        return Head(found.name, found.commit.sha)

    def open_pulls(self, place: str) -> Sequence[PullRequest]:
        pulls = self._session.pages(place, "/pulls", Pull, {"state": "open"})
        return [_told(place, pull) for pull in pulls]

    def check(self, place: str, check: Check, urgent: bool = True) -> None:
        with self._session.urgency(place, urgent):
            once_more(partial(self._checks.put, place, check))

    def label(self, ref: Ref, name: str, present: bool) -> None:
        once_more(partial(self._issues.label, ref, name, present))

    def source(self, place: str) -> Source:
        """Where GitHub says that git finds it; the secret is asked for at each use, since an App's lasts an hour."""
        return Source(place, self._session.repository(place).clone_url, self._credential(place))

    def find(self, place: str, marker: str) -> Ref | None:
        return self._issues.find(place, marker)

    def open(self, place: str, marker: str, draft: Draft) -> Ref:
        return once_more(partial(self._issues.open, place, marker, draft))

    def revise(self, ref: Ref, draft: Draft) -> None:
        once_more(partial(self._issues.revise, ref, draft))

    def move(self, ref: Ref, category: Category) -> None:
        once_more(partial(self._issues.move, ref, category))

    def relate(self, ref: Ref, url: str, title: str) -> None:
        once_more(partial(self._issues.relate, ref, url, title))

    def category(self, ref: Ref) -> Category:
        return self._issues.category(ref)

    def since(self, place: str, since: datetime) -> Missed:
        return self._history.since(place, since)

    def undelivered(self, since: datetime) -> Missed:
        return self._history.undelivered(since)

    def _credential(self, place: str) -> Callable[[], tuple[str, str]]:
        return lambda: ("x-access-token", self._session.token(place))


def _told(place: str, pull: Pull) -> PullRequest:
    return PullRequest(
        ref=Ref("github", place, pull.number),
        head=pull.head.sha,
        base=pull.base.sha,
        base_branch=pull.base.ref,
        author=login_of(pull.user),
        from_fork=pull.from_fork,
        draft=pull.draft,
        open=pull.state == "open",
        merged_as=pull.merged_as,
        title=pull.title,
        body=pull.body or "",
        url=pull.html_url,
    )
