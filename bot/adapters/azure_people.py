"""What people may do on Azure DevOps, told from the team that they are in; and the library's folder of its own."""

from collections.abc import MutableMapping
from pathlib import Path

from bot.adapters.azure_session import Session
from bot.ports import Permission

PAGE = 500
MOST = 10_000


class Members:
    """Reads teams, anew at every question."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def permission(self, project: str, team: str | None, login: str) -> Permission:
        """Members of the team (the project's default one if none is named) may write, its administrators maintain;
        others who can comment may read. Groups within it are not looked into.
        """
        members = self._members(project, team or self._default_team(project))
        if login.lower() not in members:
            return Permission.READ if login else Permission.NONE
        return Permission.MAINTAIN if members[login.lower()] else Permission.WRITE

    def _default_team(self, project: str) -> str:
        found = self._session.ask(f"read project {project}", lambda clients: clients.core.get_project(project))
        return str(found.default_team.id)

    def _members(self, project: str, team: str) -> dict[str, bool]:
        """Whether each member is an administrator of the team, by e-mail address in lower case."""
        found: dict[str, bool] = {}
        for skip in range(0, MOST, PAGE):
            rows = self._session.ask(
                f"read the members of the team of {project}",
                lambda clients, skip=skip: clients.core.get_team_members_with_extended_properties(  # type: ignore[misc]
                    project, team, top=PAGE, skip=skip
                ),
            )
            found |= {(row.identity.unique_name or "").lower(): bool(row.is_team_admin) for row in rows or []}
            if len(rows or []) < PAGE:
                break
        return found


def prepare_library(cache: Path, environ: MutableMapping[str, str] | None) -> None:
    """The library makes its folder while it is imported, by default in a home that may not be writable."""
    if environ is not None:
        cache.mkdir(parents=True, exist_ok=True)
        environ.setdefault("AZURE_DEVOPS_CACHE_DIR", str(cache))
