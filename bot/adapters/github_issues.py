"""GitHub issues as a tracker: ours carry the label `lifecycle-bot` and a hidden block with a marker."""

import threading
from collections import OrderedDict
from typing import Any
from urllib.parse import quote

from bot.adapters import github_text as text_of
from bot.adapters.github_errors import Gone, Uncertain
from bot.adapters.github_session import Session
from bot.adapters.github_shapes import Issue, Label, login_of
from bot.doubts import Doubts
from bot.ports import Category, Denied, Draft, Thing
from bot.refs import Ref

LABEL = "lifecycle-bot"
TITLE = 256
REMEMBERED = 2_000


class Issues:
    """Knows which issue carries which marker; what it forgets, it finds again by label and marker."""

    def __init__(self, session: Session, lag: float) -> None:
        self._session = session
        self._doubts = Doubts(lag)
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], int] = OrderedDict()

    def thing(self, ref: Ref) -> Thing:
        """The issue or pull request as it is now."""
        issue = self._get(ref)
        return Thing(
            ref=ref,
            title=issue.title,
            body=issue.body or "",
            url=issue.html_url,
            open=issue.state == "open",
            is_pull=issue.pull_request is not None,
            author=login_of(issue.user),
        )

    def find(self, place: str, marker: str) -> Ref | None:
        """Our issue with the marker, open or closed."""
        with self._lock:
            known = self._known.get((place, marker))
        if known is not None and self._carries(place, known, marker):
            return Ref("github", place, known)
        params: dict[str, str | int] = {"labels": LABEL, "state": "all", "sort": "created", "direction": "asc"}
        for issue in self._session.pages(place, "/issues", Issue, params):
            if self._is_ours(issue) and text_of.holds(issue.body, marker):
                return self._remember(place, marker, issue.number)
        return None

    def open(self, place: str, marker: str, draft: Draft) -> Ref:
        """Our issue with the marker, created where there is none."""
        look = self._doubts.now()
        found = self.find(place, marker)
        if found is not None:
            return found
        body = {
            "title": draft.title[:TITLE],
            "body": text_of.block(marker, draft.text),
            "labels": list(dict.fromkeys((LABEL, *draft.tags))),
        }
        self._doubts.hold((place, marker))
        try:
            made = self._session.write(place, "POST", "/issues", body, Issue)
        except Uncertain:
            self._doubts.note((place, marker))
            found = self.find(place, marker)
            if found is None:
                raise
            return found
        first = self.find(place, marker) if self._doubts.stalled(look) else None
        if first is not None and first.number != made.number:  # another machine's, while this one stood still
            self._change(Ref("github", place, made.number), {"state": "closed", "state_reason": "duplicate"})
            return first
        return self._remember(place, marker, made.number)

    def revise(self, ref: Ref, draft: Draft) -> None:
        """Our block, the title and our labels as the draft says; what people wrote around and added stays."""
        issue = self._get(ref)
        if not self._is_ours(issue):
            raise Denied(f"{ref} was opened by {login_of(issue.user)}, not by us: its text is not ours to change.")
        changes: dict[str, Any] = {}
        body = text_of.with_block(issue.body or "", draft.text)
        if not text_of.same(issue.body, body):
            changes["body"] = body
        if issue.title != draft.title[:TITLE]:
            changes["title"] = draft.title[:TITLE]
        if missing := {LABEL, *draft.tags} - {label.name for label in issue.labels}:
            changes["labels"] = [label.name for label in issue.labels] + sorted(missing)
        self._change(ref, changes)

    def move(self, ref: Ref, category: Category) -> None:
        """Close or reopen, where it is not so already; what somebody closed as not planned stays so."""
        now = self.category(ref)
        closed = category in (Category.COMPLETED, Category.REMOVED)
        if closed and now not in (category, Category.REMOVED):
            reason = "completed" if category is Category.COMPLETED else "not_planned"
            self._change(ref, {"state": "closed", "state_reason": reason})
        elif not closed and now in (Category.COMPLETED, Category.REMOVED):
            self._change(ref, {"state": "open"})

    def relate(self, ref: Ref, url: str, title: str) -> None:
        """Into the list of links of an issue of ours; people's own texts are not ours to change, so nothing there."""
        issue = self._get(ref)
        body = text_of.with_link(issue.body or "", url, title)
        if self._is_ours(issue) and body != issue.body:
            self._change(ref, {"body": body})

    def category(self, ref: Ref) -> Category:
        """An open issue counts as in progress."""
        issue = self._get(ref)
        if issue.state == "open":
            return Category.IN_PROGRESS
        return Category.REMOVED if issue.state_reason in ("not_planned", "duplicate") else Category.COMPLETED

    def label(self, ref: Ref, name: str, present: bool) -> None:
        """Put the label on or take it off, where it is not so already."""
        path = f"/issues/{ref.number}/labels"
        now = {label.name.lower() for label in self._session.pages(ref.place, path, Label)}
        if present and name.lower() not in now:
            self._session.write(ref.place, "POST", path, {"labels": [name]}, list[Label])
        elif not present and name.lower() in now:
            self._session.write(ref.place, "DELETE", f"{path}/{quote(name, safe='')}", None, list[Label])

    def _get(self, ref: Ref) -> Issue:
        return self._session.get(ref.place, f"/issues/{ref.number}", Issue)

    def _change(self, ref: Ref, changes: dict[str, Any]) -> None:
        if changes:
            self._session.write(ref.place, "PATCH", f"/issues/{ref.number}", changes, Issue)

    def _carries(self, place: str, number: int, marker: str) -> bool:
        try:
            issue = self._get(Ref("github", place, number))
        except Gone:
            return False
        return self._is_ours(issue) and text_of.holds(issue.body, marker)

    def _is_ours(self, issue: Issue) -> bool:
        return login_of(issue.user).lower() == self._session.access.login.lower()

    def _remember(self, place: str, marker: str, number: int) -> Ref:
        with self._lock:
            self._known[place, marker] = number
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return Ref("github", place, number)
