"""GitHub Apps: their keys, where they are installed, and the tokens they exchange a signed word for."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.playground.github.checks import Checks
from bot.playground.github.grants import App, Hook, Installation, Token
from bot.playground.github.problems import Problem, not_found
from bot.playground.github.records import Kind, Repo, User

LIFE = timedelta(hours=1)
LONGEST_JWT = timedelta(minutes=10)
STRENGTH = {"read": 1, "write": 2, "admin": 3}
PERMISSIONS = {
    "metadata": "read",
    "contents": "read",
    "issues": "write",
    "pull_requests": "write",
    "checks": "write",
    "statuses": "write",
}
EVENTS = ("issues", "issue_comment", "pull_request", "push", "check_run")


class Apps(Checks):
    """Apps and installations. An App acts as its bot account, `slug[bot]`."""

    def app(
        self,
        slug: str = "lifecycle-bot",
        *,
        id: int | None = None,  # GitHub's word
        webhook_url: str | None = None,
        secret: str = "",
        permissions: Mapping[str, str] | None = None,
        events: Sequence[str] = EVENTS,
        owner: str = "octo",
        private_key: str | None = None,
    ) -> App:
        """Register an App and install it on `owner`'s account, for all repositories. Its `private_key` (PEM) is made
        unless given; `app.installations[0].id` is what a client needs beside it."""
        with self.lock:
            private, public = _keys(private_key)
            number, account = id or len(self.apps) + 1, self.users.get(owner.lower()) or self.organization(owner)
            wanted = {"metadata": "read", **(PERMISSIONS if permissions is None else permissions)}
            app = App(self.site, number, slug, slug, account, private, public, wanted, list(events), self.now())
            self.apps[number] = app
            self._account(f"{slug}[bot]", Kind.BOT, slug).app = app
            if webhook_url:
                self.app_webhook(app, webhook_url, secret)
            self.install(app, account)
            return app

    def app_webhook(self, app: App, url: str, secret: str) -> None:
        """Say where an App hears of events; it is pinged at once."""
        with self.lock:
            now = self.now()
            if app.hook is None:
                app.hook = Hook(self.next_id(), url, secret, tuple(app.events), now, now, app=app)
            else:
                app.hook.url, app.hook.secret, app.hook.updated_at = url, secret, now
            self.ping(app.hook)

    def install(self, app: App, account: User | str, repos: Sequence[Repo] | None = None) -> Installation:
        """Put an App on an account, for all of its repositories or for these alone."""
        with self.lock:
            chosen = list(repos) if repos is not None else None
            installation = Installation(self.next_id(), app, self.user_of(account), self.now(), chosen)
            app.installations.append(installation)
            self.installations[installation.id] = installation
            return installation

    def uninstall(self, installation: Installation) -> None:
        """Take an App off; its tokens are worthless at once."""
        with self.lock:
            installation.app.installations.remove(installation)
            self.installations.pop(installation.id)
            for secret in [one.secret for one in self.tokens.values() if one.installation is installation]:
                self.revoke(secret)

    def app_of_jwt(self, text: str) -> App:
        """The App that signed a JSON Web Token. Raises Problem 401 in GitHub's words."""
        try:
            claimed = jwt.decode(text, options={"verify_signature": False})
        except jwt.PyJWTError:
            raise Problem(401, "A JSON web token could not be decoded") from None
        issuer = str(claimed.get("iss"))
        app = next((one for one in self.apps.values() if issuer in (str(one.id), one.client_id)), None)
        if app is None:
            raise Problem(404, "Integration not found")
        try:
            claims = jwt.decode(text, app.public_key, algorithms=["RS256"], options={"verify_aud": False}, leeway=5)
        except jwt.ExpiredSignatureError:
            raise Problem(401, "'Expiration time' claim ('exp') must be a numeric value in the future") from None
        except jwt.ImmatureSignatureError:
            raise Problem(401, "'Issued at' claim ('iat') must be an Integer in the past") from None
        except jwt.PyJWTError:
            raise Problem(401, "A JSON web token could not be decoded") from None
        if "exp" not in claims or datetime.fromtimestamp(claims["exp"], UTC) > self.now() + LONGEST_JWT:
            raise Problem(401, "'Expiration time' claim ('exp') is too far in the future")
        return app

    def installation_of(self, app: App, number: int) -> Installation:
        """One of an App's installations. Raises Problem 404."""
        found = self.installations.get(number)
        if found is None or found.app is not app:
            raise not_found()
        return found

    def installation_token(
        self,
        installation: Installation,
        permissions: Mapping[str, str] | None = None,
        repos: Sequence[Repo] | None = None,
    ) -> Token:
        """A token for an hour, with all of the App's permissions or fewer. Raises Problem 422 for more."""
        with self.lock:
            granted = installation.app.permissions
            wanted = dict(granted) if not permissions else {"metadata": "read", **permissions}
            for name, level in wanted.items():
                if STRENGTH.get(str(level), 9) > STRENGTH.get(granted.get(name, ""), 0):
                    raise Problem(422, "The permissions requested are not granted to this installation.")
            if any(not installation.covers(repo) for repo in repos or ()):
                raise Problem(422, "There is at least one repository that does not exist or is not accessible.")
            secret = "ghs_" + secrets.token_hex(18)
            user, chosen = self.app_user(installation.app), tuple(repos) if repos is not None else None
            token = Token(secret, user, (), installation, wanted, chosen, self.now() + LIFE)
            self.tokens[secret] = token
            return token


def _keys(private: str | None) -> tuple[str, str]:
    """(private, public) keys as PEM text, made when not given."""
    if private is None:
        key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        ).decode()
    loaded = serialization.load_pem_private_key(private.encode(), password=None)
    public = loaded.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, public.decode()
