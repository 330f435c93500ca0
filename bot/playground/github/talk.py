"""Issues, comments, labels and reactions, and the webhooks that each of them sends."""

from collections.abc import Iterable

from bot.playground.github import shapes
from bot.playground.github.code import Code
from bot.playground.github.problems import Problem, invalid, not_found
from bot.playground.github.records import REACTIONS, Comment, Issue, Label, Note, Reaction, Repo, User
from bot.playground.github.shapes import Json

LONGEST_BODY = 65_536  # characters
LONGEST_TITLE = 256
REASONS = ("completed", "not_planned", "duplicate", "reopened")


class Talk(Code):
    """The conversation of a repository. A pull request's conversation is an issue with `pull` set."""

    def issue_open(
        self,
        as_user: User | str,
        repo: Repo | str,
        title: str,
        body: str | None = None,
        labels: Iterable[str] = (),
        assignees: Iterable[str] = (),
    ) -> Issue:
        """Open an issue. Raises Problem 422 for an empty or too long title or body."""
        with self.lock:
            who, home = self.user_of(as_user), self.repo_of(repo)
            issue = self.new_issue(who, home, title, body)
            issue.labels = [self.label_of(home, name) for name in labels]
            issue.assignees = [self.user_of(login) for login in assignees]
            self.tell_issue(issue, "opened", who)
            for label in issue.labels:
                self.tell_issue(issue, "labeled", who, {"label": shapes.label(label, home)})
            return issue

    def new_issue(self, who: User, home: Repo, title: str, body: str | None) -> Issue:
        """The record alone, with the next number that issues and pull requests share; nobody is told."""
        check_title(title)
        check_body(body, "Issue")
        now = self.now()
        number = max(home.issues, default=0) + 1
        issue = Issue(self.next_id(), number, home, who, title, body, now, now)
        home.issues[number] = issue
        return issue

    def issue(self, repo: Repo | str, number: int) -> Issue:
        """An issue or pull request by its number. Raises Problem 404."""
        found = self.repo_of(repo).issues.get(number)
        if found is None:
            raise not_found()
        return found

    def tell_issue(self, issue: Issue, action: str, sender: User, extra: Json | None = None) -> None:
        """Send `issues`, or `pull_request` for a pull request, about something that happened to one."""
        if issue.pull is None:
            self.fire("issues", action, issue.repo, sender, {"issue": shapes.issue(issue), **(extra or {})})
        else:
            payload = {"number": issue.number, "pull_request": self.pull_shape(issue), **(extra or {})}
            self.fire("pull_request", action, issue.repo, sender, payload)

    def pull_shape(self, issue: Issue) -> Json:
        """A pull request in full, for webhooks: as the layer that knows pull requests says."""
        raise NotImplementedError

    def note(self, issue: Issue, who: User, text: str) -> None:
        """Remember something to show between the comments, and that the issue has changed."""
        issue.updated_at = self.now()
        issue.notes.append(Note(issue.updated_at, who, text))

    def retitle(self, as_user: User | str, issue: Issue, title: str) -> None:
        with self.lock:
            who = self.user_of(as_user)
            check_title(title)
            if title == issue.title:
                return
            before, issue.title = issue.title, title
            self.note(issue, who, f"changed the title from “{before}” to “{title}”")
            self.tell_issue(issue, "edited", who, {"changes": {"title": {"from": before}}})

    def rewrite(self, as_user: User | str, issue: Issue, body: str | None) -> None:
        """Change an issue's description."""
        with self.lock:
            check_body(body, "Issue")
            if body == issue.body:
                return
            before, issue.body = issue.body, body
            issue.updated_at = self.now()
            self.tell_issue(issue, "edited", self.user_of(as_user), {"changes": {"body": {"from": before or ""}}})

    def set_state(self, as_user: User | str, issue: Issue, state: str, reason: str | None = None) -> None:
        """Close or reopen. Raises Problem 422 for another state, or for reopening what is merged."""
        with self.lock:
            who = self.user_of(as_user)
            if state not in ("open", "closed"):
                raise invalid("Issue", "state")
            if reason is not None and reason not in REASONS:
                raise invalid("Issue", "state_reason")
            if state == issue.state:
                issue.state_reason = reason or issue.state_reason
                return
            if issue.pull and issue.pull.merged_at:
                raise invalid("PullRequest", "state", message="state cannot be changed. The pull request is merged.")
            issue.state = state
            closed = state == "closed"
            issue.closed_at, issue.closed_by = (self.now(), who) if closed else (None, None)
            if issue.pull is None:
                issue.state_reason = (reason or "completed") if closed else "reopened"
            why = f" as {(issue.state_reason or '').replace('_', ' ')}" if closed and issue.state_reason else ""
            self.note(issue, who, f"closed this{why}" if closed else "reopened this")
            self.tell_issue(issue, "closed" if closed else "reopened", who)

    def assign(self, as_user: User | str, issue: Issue, logins: Iterable[str]) -> None:
        """Make exactly these people the assignees."""
        with self.lock:
            who, wanted = self.user_of(as_user), [self.user_of(login) for login in logins]
            for person in [one for one in issue.assignees if one not in wanted]:
                issue.assignees.remove(person)
                self.note(issue, who, f"unassigned {person.login}")
                self.tell_issue(issue, "unassigned", who, {"assignee": shapes.user(person)})
            for person in [one for one in wanted if one not in issue.assignees]:
                issue.assignees.append(person)
                self.note(issue, who, f"assigned {person.login}")
                self.tell_issue(issue, "assigned", who, {"assignee": shapes.user(person)})

    def label_of(self, repo: Repo, name: str, color: str = "ededed", description: str | None = None) -> Label:
        """A repository's label by name, made if need be, as GitHub does when one is put on an issue."""
        if not name or len(name) > 50:
            raise invalid("Label", "name")
        found = repo.labels.get(name.lower())
        if found is None:
            found = repo.labels[name.lower()] = Label(self.next_id(), name, color, description)
        return found

    def add_labels(self, as_user: User | str, issue: Issue, names: Iterable[str]) -> None:
        with self.lock:
            who = self.user_of(as_user)
            for label in [self.label_of(issue.repo, name) for name in names]:
                if label not in issue.labels:
                    issue.labels.append(label)
                    self.note(issue, who, f"added the label {label.name}")
                    self.tell_issue(issue, "labeled", who, {"label": shapes.label(label, issue.repo)})

    def remove_label(self, as_user: User | str, issue: Issue, name: str) -> None:
        """Take a label off. Raises Problem 404 when it is not on."""
        with self.lock:
            who = self.user_of(as_user)
            label = next((one for one in issue.labels if one.name.lower() == name.lower()), None)
            if label is None:
                raise Problem(404, "Label does not exist")
            issue.labels.remove(label)
            self.note(issue, who, f"removed the label {label.name}")
            self.tell_issue(issue, "unlabeled", who, {"label": shapes.label(label, issue.repo)})

    def set_labels(self, as_user: User | str, issue: Issue, names: Iterable[str]) -> None:
        """Make exactly these the labels."""
        wanted = list(names)
        with self.lock:
            for label in list(issue.labels):
                if label.name.lower() not in {name.lower() for name in wanted}:
                    self.remove_label(as_user, issue, label.name)
            self.add_labels(as_user, issue, wanted)

    def comment(self, as_user: User | str, repo: Repo | str, number: int, body: str) -> Comment:
        """Comment on an issue or pull request. Raises Problem 422 for an empty or too long body."""
        with self.lock:
            who, issue, now = self.user_of(as_user), self.issue(repo, number), self.now()
            check_comment(body)
            comment = Comment(self.next_id(), issue, who, body, now, now)
            issue.comments.append(comment)
            issue.updated_at = now
            self._tell_comment(comment, "created", who)
            return comment

    def find_comment(self, repo: Repo | str, number: int) -> Comment:
        """A comment by its id. Raises Problem 404."""
        for issue in self.repo_of(repo).issues.values():
            for comment in issue.comments:
                if comment.id == number:
                    return comment
        raise not_found()

    def edit_comment(self, as_user: User | str, comment: Comment, body: str) -> None:
        with self.lock:
            check_comment(body)
            before, comment.body = comment.body, body
            comment.updated_at = comment.issue.updated_at = self.now()
            self._tell_comment(comment, "edited", self.user_of(as_user), {"changes": {"body": {"from": before}}})

    def delete_comment(self, as_user: User | str, comment: Comment) -> None:
        with self.lock:
            comment.issue.comments.remove(comment)
            comment.issue.updated_at = self.now()
            self._tell_comment(comment, "deleted", self.user_of(as_user))

    def _tell_comment(self, comment: Comment, action: str, who: User, extra: Json | None = None) -> None:
        payload = {"issue": shapes.issue(comment.issue), "comment": shapes.comment(comment), **(extra or {})}
        self.fire("issue_comment", action, comment.issue.repo, who, payload)

    def react(self, as_user: User | str, to: Issue | Comment, content: str) -> tuple[Reaction, bool]:
        """React once a person and content; the reaction and whether it is new. GitHub sends no webhook for it."""
        if content not in REACTIONS:
            raise invalid("Reaction", "content")
        with self.lock:
            who = self.user_of(as_user)
            for reaction in to.reactions:
                if reaction.user is who and reaction.content == content:
                    return reaction, False
            to.reactions.append(Reaction(self.next_id(), who, content, self.now()))
            return to.reactions[-1], True

    def unreact(self, to: Issue | Comment, number: int) -> None:
        """Take a reaction back by its id. Raises Problem 404."""
        with self.lock:
            found = next((one for one in to.reactions if one.id == number), None)
            if found is None:
                raise not_found()
            to.reactions.remove(found)


def check_title(title: object) -> None:
    if not isinstance(title, str) or not title.strip():
        raise invalid("Issue", "title", "missing_field")
    if len(title) > LONGEST_TITLE:
        raise invalid("Issue", "title", message=f"title is too long (maximum is {LONGEST_TITLE} characters)")


def check_body(body: object, resource: str) -> None:
    if body is not None and not isinstance(body, str):
        raise invalid(resource, "body")
    if body is not None and len(body) > LONGEST_BODY:
        raise invalid(resource, "body", message=f"body is too long (maximum is {LONGEST_BODY} characters)")


def check_comment(body: object) -> None:
    if not isinstance(body, str):
        raise invalid("IssueComment", "body", "missing_field")
    if not body.strip():
        raise invalid("IssueComment", "body", message="Body cannot be blank")
    check_body(body, "IssueComment")
