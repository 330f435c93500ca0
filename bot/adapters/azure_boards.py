"""Implements bot.ports.Talk, Tracker and History on Azure Boards, through azure-devops."""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from urllib.parse import quote

from bot.adapters import azure_text as text_of
from bot.adapters.azure_comments import Comments
from bot.adapters.azure_history import History
from bot.adapters.azure_items import DESCRIPTION, STEPS, Change, Item, Items
from bot.adapters.azure_people import Members, prepare_library
from bot.adapters.azure_process import Board, Process
from bot.adapters.azure_session import Session
from bot.doubts import LAG
from bot.ports import Category, Comment, Denied, Draft, Mark, Missed, Permission, Thing
from bot.refs import Ref

__all__ = ["AzureBoards", "Board"]

CLOSED = (Category.COMPLETED, Category.REMOVED)


class AzureBoards:
    """One organisation: `url` is https://dev.azure.com/ORGANISATION or a collection's; safe to use from any thread.

    `token` is a personal access token, or a callable that gives a bearer token of Microsoft Entra and is asked at
    every request. `boards` has the settings of each place (`Fabrikam/Bikes`); a place without any is the project of
    that name. `cache` is a folder of our own for what the library keeps about the service; it learns of it from
    `environ`, the process's own environment, and without that keeps to a folder in the home. `timeout` is in seconds,
    and so is `lag`: for so long a list may not show what was written.
    `hook` is the address that our service hooks post to, so that they are told from others'; `repositories` leads
    from the names that they have there to what their places are called in our refs.
    """

    def __init__(
        self,
        url: str,
        token: str | Callable[[], str],
        *,
        boards: Mapping[str, Board] | None = None,
        cache: Path,
        environ: MutableMapping[str, str] | None = None,
        timeout: int = 30,
        organisation: str | None = None,
        lag: float = LAG,
        hook: str = "",
        repositories: Mapping[str, str] | None = None,
    ) -> None:
        self._session = Session(url, token, timeout, organisation, partial(prepare_library, cache, environ))
        self._boards = {place.lower(): board for place, board in (boards or {}).items()}
        self._people = Members(self._session)
        self._process = Process(self._session)
        self._items = Items(self._session, self._process, 3 * lag)  # searches are later than lists
        self._comments = Comments(self._session, self._items, lag)
        self._history = History(self._session, hook, repositories or {})

    @property
    def login(self) -> str:
        """Who our token belongs to: an e-mail address or a service's name. Raises Unavailable and Denied."""
        return self._session.me.login

    @property
    def organisation(self) -> str:
        """The name in our refs: `boards:{organisation}/{id}`."""
        return self._session.organisation

    def permission(self, ref: Ref, login: str) -> Permission:
        """Members of the project's team may write, its administrators maintain; others who can comment may read.

        The team is the one in the settings, else the project's default one; groups within it are not looked into.
        """
        project = self._items.project_of(ref.number)
        return self._people.permission(project, self._board_of(project).team, login)

    def thing(self, ref: Ref) -> Thing:
        """The work item; its description is told as plain text."""
        item = self._items.read(self._number(ref))
        author = item.fields.get("System.CreatedBy") or {}
        return Thing(
            ref=ref,
            title=item.text("System.Title"),
            body=text_of.plain(item.text(DESCRIPTION) or item.text(STEPS)),
            url=f"{self._session.url}/{quote(item.project)}/_workitems/edit/{item.id}",
            open=self._category(item) not in CLOSED,
            is_pull=False,
            author=str(author.get("uniqueName") or "") if isinstance(author, dict) else str(author),
        )

    def comments(self, ref: Ref, since: datetime | None = None) -> Sequence[Comment]:
        """What people wrote in the rich editor comes as plain text with code and quotes marked."""
        return self._comments.list(ref, since)

    def say(self, ref: Ref, marker: str, text: str, urgent: bool = True) -> str:
        return self._comments.say(ref, marker, text)

    def acknowledge(self, ref: Ref, comment: str, mark: Mark) -> None:
        self._comments.acknowledge(ref, comment, mark)

    def find(self, place: str, marker: str) -> Ref | None:
        found = self._items.find(self._board(place).project, marker)
        return None if found is None else Ref("boards", self.organisation, found)

    def open(self, place: str, marker: str, draft: Draft) -> Ref:
        board = self._board(place)
        return Ref("boards", self.organisation, self._items.open(board, marker, draft))

    def revise(self, ref: Ref, draft: Draft) -> None:
        number = self._number(ref)
        self._items.revise(number, draft, self._board_of(self._items.project_of(number)).areas)

    def move(self, ref: Ref, category: Category) -> None:
        def plan(item: Item) -> list[Change]:
            state = self._process.state_in(item.project, item.type, category)
            reached = self._process.category(item.project, item.type, state)
            if self._category(item) is reached:
                return []
            return [Change("/fields/System.State", state)]

        self._items.change(self._number(ref), plan)

    def relate(self, ref: Ref, url: str, title: str) -> None:
        self._items.relate(self._number(ref), url, title)

    def category(self, ref: Ref) -> Category:
        return self._category(self._items.read(self._number(ref)))

    def since(self, place: str, since: datetime) -> Missed:
        return self._history.since(self._board(place).project, since)

    def undelivered(self, since: datetime) -> Missed:
        return self._history.undelivered(since)

    def _category(self, item: Item) -> Category:
        return self._process.category(item.project, item.type, item.state)

    def _board(self, place: str) -> Board:
        return self._boards.get(place.lower()) or Board(project=place.rsplit("/", 1)[-1])

    def _board_of(self, project: str) -> Board:
        """The settings for a project that an item turned out to be in."""
        for board in self._boards.values():
            if board.project.lower() == project.lower():
                return board
        return Board(project=project)

    def _number(self, ref: Ref) -> int:
        if ref.system != "boards" or ref.place.lower() != self.organisation.lower():
            raise Denied(f"{ref} is not a work item of {self.organisation}.")
        return ref.number
