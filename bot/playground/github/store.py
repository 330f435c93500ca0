"""The ground the stand-in GitHub stands on: accounts, tokens, repositories, and who may do what."""

import secrets
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot.playground.courier import Chaos, Courier
from bot.playground.github.grants import App, Installation, Token
from bot.playground.github.problems import Moved, not_found
from bot.playground.github.records import LEVELS, Kind, Repo, Site, User

SCOPES = ("repo", "admin:repo_hook")
TIMEOUT = 10.0  # seconds that github.com waits for a webhook's answer


class Store:
    """Accounts, tokens and repositories. All state changes happen under `lock`.

    root: folder for the bare repositories. base_url: "http://127.0.0.1:8001", where this world is served.
    now: the clock, aware and in UTC. chaos: what goes wrong with webhooks. rate_limit: API calls an hour and account.
    """

    def __init__(
        self,
        root: Path,
        base_url: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        chaos: Chaos | None = None,
        rate_limit: int = 15_000,
    ) -> None:
        self.lock = threading.RLock()
        self.root = root
        self.site = Site(base_url.rstrip("/"))
        self.now = now
        self.rate_limit = rate_limit
        self.courier = Courier(chaos=chaos, timeout=TIMEOUT)
        self.users: dict[str, User] = {}
        self.repos: dict[str, Repo] = {}
        self.renamed: dict[str, str] = {}
        self.tokens: dict[str, Token] = {}
        self.apps: dict[int, App] = {}
        self.installations: dict[int, Installation] = {}
        self.teams: dict[tuple[str, str], set[str]] = {}
        self.spent: dict[str, tuple[int, int]] = {}  # whose hour -> (epoch second at which it ends, calls)
        self._last_id = 1_000_000

    def next_id(self) -> int:
        with self.lock:
            self._last_id += 1
            return self._last_id

    def organization(self, login: str, name: str = "") -> User:
        """The organisation of this name, made if need be."""
        return self._account(login, Kind.ORGANIZATION, name)

    def user(self, login: str, permission: str | None = None, name: str = "") -> User:
        """The person of this name, made if need be; `permission` (one of LEVELS) holds in every organisation here."""
        if permission is not None and permission not in LEVELS:
            raise ValueError(f"permission is one of {', '.join(LEVELS)}, not {permission!r}")
        person = self._account(login, Kind.USER, name)
        if permission is not None:
            person.permission = permission
        return person

    def _account(self, login: str, kind: Kind, name: str) -> User:
        with self.lock:
            if (found := self.users.get(login.lower())) is not None:
                return found
            account = User(self.site, self.next_id(), login, kind, self.now(), name)
            self.users[login.lower()] = account
            return account

    def user_of(self, who: User | str) -> User:
        """An account by login. Raises Problem 404."""
        if isinstance(who, User):
            return who
        if (found := self.users.get(who.lower())) is None:
            raise not_found()
        return found

    def repo_of(self, which: Repo | str) -> Repo:
        """A repository by "owner/name". Raises Problem 404, or Moved when it has been renamed."""
        if isinstance(which, Repo):
            return which
        key = which.lower()
        if (found := self.repos.get(key)) is not None:
            return found
        if key in self.renamed:
            raise Moved(which, self.renamed[key])
        raise not_found()

    def by_email(self, email: str) -> User | None:
        """The account that GitHub would show beside a commit."""
        return next((user for user in self.users.values() if user.email == email), None)

    def personal_token(self, who: User | str, scopes: Sequence[str] = SCOPES) -> str:
        """A classic personal access token of this person; the secret."""
        secret = "ghp_" + secrets.token_hex(18)
        with self.lock:
            self.tokens[secret] = Token(secret, self.user_of(who), tuple(scopes))
        return secret

    def revoke(self, secret: str) -> None:
        """Make a token worthless at once."""
        with self.lock:
            self.tokens.pop(secret, None)

    def token(self, secret: str) -> Token | None:
        """The token behind a secret, unless it is unknown or expired."""
        found = self.tokens.get(secret)
        if found is None or (found.expires_at is not None and found.expires_at <= self.now()):
            return None
        return found

    def grant(self, repo: Repo | str, who: User | str, level: str) -> None:
        """Make somebody a collaborator with a level of their own on one repository; "none" counts too."""
        if level not in LEVELS:
            raise ValueError(f"a level is one of {', '.join(LEVELS)}, not {level!r}")
        with self.lock:
            self.repo_of(repo).collaborators[self.user_of(who).login.lower()] = level

    def level(self, who: User | None, repo: Repo) -> str:
        """What somebody may do, one of LEVELS. Everyone may read what is public, as on GitHub."""
        own = "none"
        if who is not None:
            if who is repo.owner:
                return "admin"
            default = who.permission if repo.owner.kind is Kind.ORGANIZATION else "none"
            own = repo.collaborators.get(who.login.lower(), default)
        return "read" if own == "none" and not repo.private else own

    def may(self, who: User | None, repo: Repo, level: str) -> bool:
        return LEVELS.index(self.level(who, repo)) >= LEVELS.index(level)

    def team(self, slug: str, members: Sequence[str], org: str = "octo") -> None:
        """A team of an organisation with exactly these members."""
        with self.lock:
            self.teams[org.lower(), slug.lower()] = {self.user(login).login.lower() for login in members}

    def rename_repo(self, repo: Repo | str, name: str) -> None:
        """Give a repository another name; the old address redirects from now on."""
        with self.lock:
            found = self.repo_of(repo)
            old = found.full_name
            found.name = name
            self.repos.pop(old.lower())
            self.repos[found.full_name.lower()] = found
            self.renamed.pop(found.full_name.lower(), None)
            self.renamed[old.lower()] = found.full_name

    def close(self) -> None:
        """Stop the courier; what was not delivered is forgotten."""
        self.courier.close()
