"""Check runs of Apps, with GitHub's limits, and commit statuses."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.playground.github import shapes, shapes_apps, shapes_code
from bot.playground.github.grants import App, CheckRun, CheckSuite, Status
from bot.playground.github.problems import Problem, invalid, not_found
from bot.playground.github.pulls import Pulls
from bot.playground.github.records import Repo, User

MOST_BYTES = 65_535
MOST_ANNOTATIONS = 50
MOST_ACTIONS = 3
ACTION_LENGTHS = {"label": 20, "description": 40, "identifier": 20}
LEVELS = ("notice", "warning", "failure")
STATUSES = ("queued", "in_progress", "completed")
CONCLUSIONS = ("success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required")
STATES = ("error", "failure", "pending", "success")
LONGEST_DESCRIPTION = 140


class Checks(Pulls):
    """What is said about commits. `fields` of a check run are those of GitHub's request body, as decoded JSON."""

    def check_create(self, app: App, repo: Repo | str, fields: Mapping[str, Any]) -> CheckRun:
        """A new check run by an App. Raises Problem 422 beyond GitHub's limits or for an unknown commit."""
        with self.lock:
            home = self.repo_of(repo)
            name, head_sha = fields.get("name"), fields.get("head_sha")
            if not isinstance(name, str) or not name:
                raise invalid("CheckRun", "name", "missing_field")
            if not isinstance(head_sha, str) or home.git.resolve(head_sha) != head_sha:
                raise Problem(422, f"No commit found for SHA: {head_sha}")
            check_fields(fields)
            run = CheckRun(self.next_id(), home, app, self._suite(app, home, head_sha), name, head_sha)
            run.suite.runs.append(run)
            self._apply(run, fields)
            run.started_at = run.started_at or self.now()
            self._tell_check(run, "created", None)
            if run.status == "completed":
                self._tell_check(run, "completed", None)
            return run

    def check_update(self, app: App, run: CheckRun, fields: Mapping[str, Any]) -> None:
        """Change a check run; annotations are added to those there are. Raises Problem 403 for another App's."""
        with self.lock:
            if run.app is not app:
                raise Problem(403, f"Invalid app_id `{app.id}` - check run can only be modified by its own GitHub App.")
            check_fields(fields)
            before = run.status
            self._apply(run, fields)
            if run.status == "completed" and before != "completed":
                self._tell_check(run, "completed", None)

    def _suite(self, app: App, home: Repo, sha: str) -> CheckSuite:
        for suite in home.suites:
            if suite.app is app and suite.head_sha == sha:
                return suite
        branch = next((name for name, tip in home.git.branches().items() if tip == sha), None)
        suite = CheckSuite(self.next_id(), home, app, sha, branch, self.now(), self.now())
        home.suites.append(suite)
        return suite

    def _apply(self, run: CheckRun, fields: Mapping[str, Any]) -> None:
        for name in ("name", "external_id", "details_url"):
            if fields.get(name) is not None:
                setattr(run, name, fields[name])
        for name in ("started_at", "completed_at"):
            if fields.get(name):
                setattr(run, name, parse_time(fields[name]))
        if (conclusion := fields.get("conclusion")) is not None:
            run.conclusion, run.status = conclusion, "completed"
            run.completed_at = run.completed_at if fields.get("completed_at") else self.now()
        elif fields.get("status"):
            run.status = fields["status"]
            if run.status != "completed":
                run.conclusion = run.completed_at = None
        if output := fields.get("output"):
            run.title, run.summary, run.text = (output.get(name) for name in ("title", "summary", "text"))
            run.annotations.extend(output.get("annotations") or [])
            run.images = list(output.get("images") or run.images)
        run.actions = list(fields["actions"]) if fields.get("actions") is not None else run.actions
        run.suite.updated_at = self.now()

    def _tell_check(self, run: CheckRun, action: str, who: User | None, extra: shapes.Json | None = None) -> None:
        sender = who or self.app_user(run.app)
        head = shapes_code.simple_commit(run.repo.git.commit(run.head_sha))
        shape = {**shapes_apps.check_run(run), "check_suite": shapes_apps.check_suite(run.suite, head)}
        only = run.app if action in ("rerequested", "requested_action") else None
        self.fire("check_run", action, run.repo, sender, {"check_run": shape, **(extra or {})}, only=only)

    def app_user(self, app: App) -> User:
        """The bot account of an App."""
        return self.user_of(f"{app.slug}[bot]")

    def check_rerequest(self, as_user: User | str, run: CheckRun) -> None:
        """Somebody presses “Re-run”: only the App that made the check hears of it."""
        with self.lock:
            self._tell_check(run, "rerequested", self.user_of(as_user))

    def check_action(self, as_user: User | str, run: CheckRun, identifier: str) -> None:
        """Somebody presses one of a check's own buttons. Raises Problem 404 when it has no such button."""
        with self.lock:
            if identifier not in {action["identifier"] for action in run.actions}:
                raise not_found()
            asked = {"requested_action": {"identifier": identifier}}
            self._tell_check(run, "requested_action", self.user_of(as_user), asked)

    def check_run(self, repo: Repo | str, number: int) -> CheckRun:
        """A check run by its id. Raises Problem 404."""
        for run in self.check_runs(self.repo_of(repo)):
            if run.id == number:
                return run
        raise not_found()

    def check_runs(self, repo: Repo, sha: str | None = None, *, latest: bool = False) -> list[CheckRun]:
        """Check runs, oldest first; of one commit; `latest`: one for each App and name."""
        runs = sorted(
            (run for suite in repo.suites for run in suite.runs if sha in (None, run.head_sha)), key=lambda run: run.id
        )
        if latest:
            runs = list({(run.app.id, run.name): run for run in runs}.values())
        return runs

    def set_status(
        self,
        as_user: User | str,
        repo: Repo | str,
        sha: str,
        state: str,
        context: str = "default",
        description: str | None = None,
        target_url: str | None = None,
    ) -> Status:
        """Say something about a commit; the latest of a context counts. Raises Problem 422."""
        with self.lock:
            who, home = self.user_of(as_user), self.repo_of(repo)
            if home.git.resolve(sha) != sha:
                raise Problem(422, f"No commit found for SHA: {sha}")
            if state not in STATES:
                raise invalid("Status", "state")
            if description and len(description) > LONGEST_DESCRIPTION:
                too_long = f"description is too long (maximum is {LONGEST_DESCRIPTION} characters)"
                raise invalid("Status", "description", message=too_long)
            if target_url and not target_url.startswith(("http://", "https://")):
                raise invalid("Status", "target_url", message="target_url must use http(s) scheme")
            status = Status(self.next_id(), sha, state, context, description, target_url, who, self.now())
            home.statuses.append(status)
            author = self.by_email(home.git.commit(sha).author.email)
            facts = {name: getattr(status, name) for name in ("id", "sha", "state", "context", "description")}
            times = {"created_at": shapes.iso(status.created_at), "updated_at": shapes.iso(status.created_at)}
            on = [shapes_code.branch(home, name, tip) for name, tip in home.git.branches().items() if tip == sha]
            commit = shapes_code.commit(home.git.commit(sha), home, author)
            named = {"name": home.full_name, "target_url": target_url, "commit": commit, "branches": on}
            self.fire("status", None, home, who, {**facts, **times, **named})
            return status

    def statuses(self, repo: Repo, sha: str, *, latest: bool = False) -> list[Status]:
        """A commit's statuses, newest first; `latest`: one for each context."""
        found = [status for status in reversed(repo.statuses) if status.sha == sha]
        if latest:
            found = list({status.context: status for status in reversed(found)}.values())
        return found


def parse_time(text: object) -> datetime:
    """A time in a request. Raises Problem 422."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        raise Problem(422, f"Invalid request.\n\n{text!r} is not a valid date-time.") from None
    if at.tzinfo is None:
        raise Problem(422, f"Invalid request.\n\n{text!r} is not a valid date-time.")
    return at


def check_fields(fields: Mapping[str, Any]) -> None:
    """Hold a check run's request to GitHub's limits. Raises Problem 422."""
    status, conclusion = fields.get("status"), fields.get("conclusion")
    if status is not None and status not in STATUSES:
        raise _bad(f"{status!r} is not a member of {list(STATUSES)}.")
    if conclusion is not None and conclusion not in CONCLUSIONS:
        raise _bad(f"{conclusion!r} is not a member of {list(CONCLUSIONS)}.")
    if status == "completed" and conclusion is None:
        raise _bad('"conclusion" wasn\'t supplied.')
    url = fields.get("details_url")
    if url and not str(url).startswith(("http://", "https://")):
        raise invalid("CheckRun", "details_url", message="details_url must use http(s) scheme")
    if (output := fields.get("output")) is not None:
        _check_output(output)
    _check_actions(fields.get("actions") or [])


def _check_output(output: Any) -> None:
    if not isinstance(output, dict):
        raise _bad(f"{output!r} is not an object.")
    for name in ("title", "summary"):
        if not isinstance(output.get(name), str):
            raise _bad(f'"{name}" wasn\'t supplied.')
    for name in ("summary", "text"):
        if len(str(output.get(name) or "").encode()) > MOST_BYTES:
            raise _bad(f"{name} exceeds a maximum bytesize of {MOST_BYTES}.")
    annotations, images = output.get("annotations") or [], output.get("images") or []
    if not isinstance(annotations, list) or not isinstance(images, list):
        raise _bad("annotations and images are arrays.")
    if len(annotations) > MOST_ANNOTATIONS:
        raise _bad(f"No more than {MOST_ANNOTATIONS} items are allowed; {len(annotations)} were supplied.")
    for annotation in annotations:
        _check_annotation(annotation)
    for image in images:
        if not isinstance(image, dict) or not image.get("alt") or not image.get("image_url"):
            raise _bad('"alt", "image_url" weren\'t supplied.')


def _check_annotation(annotation: Any) -> None:
    needed = ("path", "start_line", "end_line", "annotation_level", "message")
    missing = [f'"{name}"' for name in needed if not isinstance(annotation, dict) or annotation.get(name) is None]
    if missing:
        raise _bad(f"{', '.join(missing)} weren't supplied.")
    if annotation["annotation_level"] not in LEVELS:
        raise _bad(f"{annotation['annotation_level']!r} is not a member of {list(LEVELS)}.")
    for name, most in {"message": 65_536, "raw_details": 65_536, "title": 255}.items():
        if len(str(annotation.get(name) or "")) > most:
            raise _bad(f"Only {most} characters are allowed in {name}.")


def _check_actions(actions: Any) -> None:
    if len(actions) > MOST_ACTIONS:
        raise _bad(f"No more than {MOST_ACTIONS} items are allowed; {len(actions)} were supplied.")
    for action in actions:
        for name, most in ACTION_LENGTHS.items():
            if not isinstance(action, dict) or not isinstance(action.get(name), str) or len(action[name]) > most:
                raise _bad(f"{name} of an action is a string of at most {most} characters.")


def _bad(message: str) -> Problem:
    return Problem(422, f"Invalid request.\n\n{message}")
