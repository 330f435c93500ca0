"""What a project's process offers, asked of the project itself: types, states by category, fields, the default team."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from bot.adapters.azure_errors import Gone
from bot.adapters.azure_session import Session
from bot.ports import Category, Denied

T = TypeVar("T")
LASTS = 600.0  # seconds: people change processes seldom, and want it to count soon after
CATEGORIES = {"task": "Microsoft.RequirementCategory", "problem": "Microsoft.BugCategory"}
# Where a type has no state of a category, the one that comes nearest.
NEAREST = {
    Category.PROPOSED: Category.IN_PROGRESS,
    Category.RESOLVED: Category.IN_PROGRESS,
    Category.REMOVED: Category.COMPLETED,
}


@dataclass(frozen=True, slots=True)
class Board:
    """Where items of a place go: a project, and what in it; None leaves it to the project's defaults.

    `types` names the work item type for "task" and "problem"; what it leaves out, the process says: the default
    types of its requirement and bug categories. `areas` are by severity, 1 to 4, where these go elsewhere than `area`.
    """

    project: str
    team: str | None = None
    area: str | None = None
    iteration: str | None = None
    types: Mapping[str, str] = field(default_factory=dict)
    areas: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class State:
    name: str
    category: Category | None


class Process:
    """Answers are kept for ten minutes."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, ...], tuple[Any, float]] = {}

    def type_for(self, board: Board, kind: str) -> str:
        """The work item type for "task" or "problem"."""
        if kind in board.types:
            return board.types[kind]
        defaults = self._categories(board.project)
        found = defaults.get(CATEGORIES.get(kind, "")) or defaults.get(CATEGORIES["task"])
        if found is None:
            raise Denied(f"The project {board.project} has no work item type for a {kind}: name one in the settings.")
        return found

    def category(self, project: str, kind: str, state: str) -> Category:
        """The category of a state of the type `kind`."""
        for fresh in (False, True):
            found = next((one.category for one in self._states(project, kind, fresh) if one.name == state), None)
            if found is not None:
                return found
        raise Denied(f"The state {state} of a {kind} in {project} has no category that we know.")

    def state_in(self, project: str, kind: str, category: Category) -> str:
        """The first state of that category, or of the nearest one that the type has."""
        states = self._states(project, kind)
        for wanted in (category, NEAREST.get(category)):
            found = next((one.name for one in states if one.category is wanted), None)
            if wanted is not None and found is not None:
                return found
        raise Denied(f"A {kind} in {project} has no state of category {category}.")

    def has_state_in(self, project: str, kind: str, category: Category) -> bool:
        """Whether the type has a state of that very category."""
        return any(one.category is category for one in self._states(project, kind))

    def fields(self, project: str, kind: str) -> Mapping[str, tuple[str, ...]]:
        """The type's fields by reference name, each with its allowed values, none where anything goes."""
        return self._keep(("fields", project, kind), lambda: self._read_fields(project, kind))

    def _categories(self, project: str) -> Mapping[str, str]:
        def ask() -> dict[str, str]:
            what = f"read the work item types of {project}"
            rows = self._session.ask(what, lambda clients: clients.wit.get_work_item_type_categories(project))
            return {
                row.reference_name: row.default_work_item_type.name for row in rows or [] if row.default_work_item_type
            }

        return self._keep(("categories", project), ask)

    def _states(self, project: str, kind: str, fresh: bool = False) -> tuple[State, ...]:
        def ask() -> tuple[State, ...]:
            what = f"read the states of {kind} in {project}"
            rows = self._session.ask(what, lambda clients: clients.wit.get_work_item_type_states(project, kind))
            return tuple(State(row.name, _category(row.category)) for row in rows or [])

        return self._keep(("states", project, kind), ask, fresh)

    def _read_fields(self, project: str, kind: str) -> Mapping[str, tuple[str, ...]]:
        what = f"read the fields of {kind} in {project}"
        try:
            rows = self._session.ask(
                what,
                lambda clients: clients.wit.get_work_item_type_fields_with_references(
                    project, kind, expand="allowedValues"
                ),
            )
        except Gone:
            rows = []
        return {row.reference_name: tuple(map(str, row.allowed_values or ())) for row in rows or []}

    def _keep(self, key: tuple[str, ...], ask: Callable[[], T], fresh: bool = False) -> T:
        with self._lock:
            value, until = self._kept.get(key, (None, 0.0))
        if fresh or time.monotonic() >= until:
            value = ask()
            with self._lock:
                self._kept[key] = (value, time.monotonic() + LASTS)
        return cast(T, value)


def _category(name: str) -> Category | None:
    return Category(name) if name in set(Category) else None
