"""What the webhooks' address answers to what is not a webhook."""

import hashlib
import hmac

import pytest

from tests.stories.world import World

pytestmark = pytest.mark.xdist_group("stories-1")


@pytest.mark.parametrize(
    ("body", "signed", "status"),
    [(b"{}", True, 202), (b"{}", False, 401), (b"{no", True, 400), (b"x" * (25 * 2**20 + 1), True, 413)],
    ids=["nothing to us", "wrong signature", "no JSON", "too large"],
)
def test_github_is_answered_by_what_it_sends(world: World, body: bytes, signed: bool, status: int) -> None:
    secret = world.stage.secrets.github_webhook if signed else "guessed"
    headers = {
        "X-GitHub-Event": "watch" if status == 202 else "issue_comment",
        "X-GitHub-Delivery": "story",
        "Content-Type": "application/json",
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }
    answer = world.http.post(f"{world.url}/webhooks/github", data=body, headers=headers, timeout=30)
    assert answer.status_code == status


def test_azure_devops_shows_its_password(world: World) -> None:
    url, password = f"{world.url}/webhooks/azure-devops", world.stage.secrets.azure_webhook
    body = {"eventType": "build.complete", "resource": {}}
    assert world.http.post(url, json=body, auth=("lifecycle-bot", "guessed"), timeout=30).status_code == 401
    assert world.http.post(url, json=body, timeout=30).status_code == 401
    assert world.http.post(url, json=body, auth=("lifecycle-bot", password), timeout=30).status_code == 202
