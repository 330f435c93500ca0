"""Webhooks: who hears of what, the signed request, and the record of every delivery."""

import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

from bot.playground.courier import Attempt, Parcel
from bot.playground.github import shapes
from bot.playground.github.grants import App, Delivery, Hook
from bot.playground.github.problems import invalid, not_found
from bot.playground.github.records import Kind, Repo, User
from bot.playground.github.shapes import Json
from bot.playground.github.store import Store

# The permission an App needs to hear of an event, as GitHub pairs them.
NEEDED = {
    "issues": "issues",
    "issue_comment": "issues",
    "label": "issues",
    "pull_request": "pull_requests",
    "pull_request_review": "pull_requests",
    "push": "contents",
    "create": "contents",
    "delete": "contents",
    "check_run": "checks",
    "check_suite": "checks",
    "status": "statuses",
}
ALWAYS = {"ping", "installation"}


class Webhooks(Store):
    """Hooks of repositories and Apps. GitHub never retries by itself; `redeliver` is what one asks for by hand."""

    def add_webhook(
        self, repo: Repo | str, url: str, secret: str = "", events: Sequence[str] = ("*",), content_type: str = "json"
    ) -> Hook:
        """A repository's webhook; it is pinged at once. Raises Problem 422 when there is one with this URL."""
        with self.lock:
            home, now = self.repo_of(repo), self.now()
            if any(hook.url == url for hook in home.hooks):
                raise invalid("Hook", "url", message="Hook already exists on this repository")
            hook = Hook(self.next_id(), url, secret, tuple(events), now, now, content_type=content_type)
            home.hooks.append(hook)
            self.ping(hook, home)
            return hook

    def ping(self, hook: Hook, home: Repo | None = None) -> None:
        payload: Json = {"zen": "Keep it logically awesome.", "hook_id": hook.id}
        if home:
            from bot.playground.github.shapes_apps import hook as shape

            payload |= {"hook": shape(hook, home), "repository": shapes.repo(home), "sender": shapes.user(home.owner)}
        else:
            config = {"content_type": "json", "insecure_ssl": "0", "url": hook.url, "secret": "********"}
            app_id = hook.app.id if hook.app else None
            payload["hook"] = {"type": "App", "id": hook.id, "name": "web", "active": True, "app_id": app_id}
            times = {"created_at": shapes.iso(hook.created_at), "updated_at": shapes.iso(hook.updated_at)}
            payload["hook"] |= {"events": list(hook.events), "config": config, **times}
        self._send(hook, "ping", None, payload, home, None)

    def fire(
        self, event: str, action: str | None, repo: Repo, sender: User, payload: Json, only: App | None = None
    ) -> None:
        """Tell every hook that wants this event of this repository; `only` one App's for what concerns it alone."""
        whole: Json = {"action": action} if action else {}
        whole |= {**payload, "repository": shapes.repo(repo), "sender": shapes.user(sender)}
        if repo.owner.kind is Kind.ORGANIZATION:
            whole["organization"] = shapes.organization(repo.owner)
        for hook, installation in self._listeners(event, repo, only):
            if installation:
                node_id = shapes.node("MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9u", installation)
                whole_for = {**whole, "installation": {"id": installation, "node_id": node_id}}
            else:
                whole_for = whole
            self._send(hook, event, action, whole_for, repo, installation)

    def _listeners(self, event: str, repo: Repo, only: App | None) -> Iterator[tuple[Hook, int | None]]:
        for hook in repo.hooks if only is None else ():
            if hook.active and ("*" in hook.events or event in hook.events):
                yield hook, None
        for installation in self.installations.values():
            app = installation.app
            if (only and app is not only) or app.hook is None or not app.hook.active or not installation.covers(repo):
                continue
            permitted = event in ALWAYS or NEEDED.get(event, "metadata") in app.permissions
            if event == "issue_comment" and "pull_requests" in app.permissions:
                permitted = True
            # check_run and check_suite requests reach the App they are about whether it subscribed or not.
            if permitted and (only is not None or event in app.events):
                yield app.hook, installation.id

    def _send(
        self, hook: Hook, event: str, action: str | None, payload: Json, repo: Repo | None, installation: int | None
    ) -> None:
        text = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
        form = hook.content_type == "form"
        raw = urlencode({"payload": text}).encode() if form else text.encode()
        guid = str(uuid.uuid4())
        headers = _headers(hook, event, guid, raw, repo)
        delivery = Delivery(
            self._delivery_id(), guid, hook, event, action, self.now(), False, headers, text.encode(), installation,
            repo.id if repo else None,
        )  # fmt: skip
        self._dispatch(delivery, raw)

    def _delivery_id(self) -> int:
        # GitHub's are large and not in steps of one; only their order means anything.
        return self.next_id() * 1_000 + secrets.randbelow(1_000)

    def _dispatch(self, delivery: Delivery, raw: bytes) -> None:
        hook = delivery.hook
        hook.deliveries.append(delivery)
        del hook.deliveries[:-5_000]

        def told(attempt: Attempt) -> None:
            with self.lock:
                _record(delivery, attempt)

        self.courier.post(Parcel(f"hook-{hook.id}", hook.url, delivery.request_headers, raw, delivery.event), told)

    def delivery(self, hook: Hook, number: int) -> Delivery:
        """One delivery of a hook. Raises Problem 404."""
        found = next((one for one in hook.deliveries if one.id == number), None)
        if found is None:
            raise not_found()
        return found

    def redeliver(self, delivery: Delivery) -> Delivery:
        """Send the same bytes under the same GUID once more; a delivery of its own in the record."""
        with self.lock:
            again = Delivery(
                self._delivery_id(), delivery.guid, delivery.hook, delivery.event, delivery.action, self.now(), True,
                dict(delivery.request_headers), delivery.body, delivery.installation_id, delivery.repository_id,
            )  # fmt: skip
            form = delivery.hook.content_type == "form"
            self._dispatch(again, urlencode({"payload": again.body.decode()}).encode() if form else again.body)
            return again


def _headers(hook: Hook, event: str, guid: str, raw: bytes, repo: Repo | None) -> dict[str, str]:
    target = ("integration", hook.app.id) if hook.app else ("repository", repo.id if repo else 0)
    headers = {
        "Accept": "*/*",
        "Content-Type": "application/x-www-form-urlencoded" if hook.content_type == "form" else "application/json",
        "User-Agent": "GitHub-Hookshot/5ac75d1",
        "X-GitHub-Delivery": guid,
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": str(hook.id),
        "X-GitHub-Hook-Installation-Target-ID": str(target[1]),
        "X-GitHub-Hook-Installation-Target-Type": target[0],
        "X-GitHub-Enterprise-Version": "3.19.0",
    }
    if hook.secret:
        key = hook.secret.encode()
        headers["X-Hub-Signature"] = "sha1=" + hmac.new(key, raw, hashlib.sha1).hexdigest()
        headers["X-Hub-Signature-256"] = "sha256=" + hmac.new(key, raw, hashlib.sha256).hexdigest()
    return headers


def _record(delivery: Delivery, attempt: Attempt) -> None:
    delivery.duration = attempt.seconds
    delivery.response_headers = dict(attempt.answer_headers)
    delivery.response_body = attempt.answer.decode("utf-8", "replace")
    if attempt.status is None:
        timed_out = attempt.error == "timed out"
        delivery.status_code = 504 if timed_out else 502
        delivery.status = "timed out" if timed_out else "failed to connect to host"
        return
    delivery.status_code = attempt.status
    delivery.status = "OK" if attempt.delivered else f"Invalid HTTP Response: {attempt.status}"
