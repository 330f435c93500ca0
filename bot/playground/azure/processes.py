"""The four processes that Microsoft ships, as far as boards need them: item types, their states and categories."""

from dataclasses import dataclass
from enum import StrEnum


class Category(StrEnum):
    """What a state means, whatever it is called."""

    PROPOSED = "Proposed"
    IN_PROGRESS = "InProgress"
    RESOLVED = "Resolved"
    COMPLETED = "Completed"
    REMOVED = "Removed"


COLORS = {
    Category.PROPOSED: "b2b2b2",
    Category.IN_PROGRESS: "007acc",
    Category.RESOLVED: "ff9d00",
    Category.COMPLETED: "339933",
    Category.REMOVED: "ffffff",
}


@dataclass(frozen=True, slots=True)
class State:
    name: str
    category: Category

    @property
    def color(self) -> str:
        return COLORS[self.category]


@dataclass(frozen=True, slots=True)
class ItemType:
    """A type of work item; its first state is the one that new items start in, and the only one they may start in."""

    name: str
    color: str
    states: tuple[State, ...]
    backlog: str  # the work item type category it is the default of, or belongs to
    description: str = ""

    @property
    def reference(self) -> str:
        return "Microsoft.VSTS.WorkItemTypes." + self.name.replace(" ", "")

    def state(self, name: str) -> State | None:
        return next((state for state in self.states if state.name.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Process:
    name: str
    id: str
    types: tuple[ItemType, ...]

    def type(self, name: str) -> ItemType | None:
        wanted = name.lower()
        return next((kind for kind in self.types if wanted in (kind.name.lower(), kind.reference.lower())), None)


def _states(words: str) -> tuple[State, ...]:
    """Reads "New=Proposed, Active=InProgress"."""
    pairs = (entry.split("=") for entry in words.split(", "))
    return tuple(State(name, Category(category)) for name, category in pairs)


def _type(name: str, color: str, states: str, backlog: str, description: str = "") -> ItemType:
    return ItemType(name, color, _states(states), f"Microsoft.{backlog}Category", description)


# Names, categories and colours as Microsoft's table of workflow states gives them (October 2024). Where two editions of
# it disagree (Resolved of a User Story), the newer one counts.
_NEW_TO_CLOSED = "New=Proposed, Active=InProgress, Resolved=Resolved, Closed=Completed"
_AGILE = (
    _type("User Story", "009CCC", f"{_NEW_TO_CLOSED}, Removed=Removed", "Requirement", "What a user gets out of it"),
    _type("Bug", "CC293D", _NEW_TO_CLOSED, "Bug", "Something that does not work"),
    _type("Task", "F2CB1D", "New=Proposed, Active=InProgress, Closed=Completed, Removed=Removed", "Task", "Work to do"),
    _type("Feature", "773B93", f"{_NEW_TO_CLOSED}, Removed=Removed", "Feature", "Something that will be released"),
    _type("Epic", "FF7B00", f"{_NEW_TO_CLOSED}, Removed=Removed", "Epic", "A large undertaking"),
    _type("Issue", "B4009E", "Active=InProgress, Closed=Completed", "Issue", "Something in the way"),
)

_APPROVED = "New=Proposed, Approved=Proposed, Committed=InProgress, Done=Completed, Removed=Removed"
_TODO = "To Do=Proposed, In Progress=InProgress, Done=Completed, Removed=Removed"
_NEW_TO_DONE = "New=Proposed, In Progress=InProgress, Done=Completed, Removed=Removed"
_SCRUM = (
    _type("Product Backlog Item", "009CCC", _APPROVED, "Requirement", "What a user gets out of it"),
    _type("Bug", "CC293D", _APPROVED, "Bug", "Something that does not work"),
    _type("Task", "F2CB1D", _TODO, "Task", "Work to do"),
    _type("Feature", "773B93", _NEW_TO_DONE, "Feature", "Something that will be released"),
    _type("Epic", "FF7B00", _NEW_TO_DONE, "Epic", "A large undertaking"),
    _type("Impediment", "B4009E", "Open=InProgress, Closed=Completed", "Issue", "Something in the way"),
)

_DOING = "To Do=Proposed, Doing=InProgress, Done=Completed"
_BASIC = (
    _type("Issue", "B4009E", _DOING, "Requirement", "What is to be done or mended"),
    _type("Task", "F2CB1D", _DOING, "Task", "Work to do"),
    _type("Epic", "FF7B00", _DOING, "Epic", "A large undertaking"),
)

_STAYS_OPEN = "Proposed=Proposed, Active=InProgress, Resolved=InProgress, Closed=Completed"
_RESOLVES = "Proposed=Proposed, Active=InProgress, Resolved=Resolved, Closed=Completed"
_CMMI = (
    _type("Requirement", "009CCC", _STAYS_OPEN, "Requirement", "What the product must do"),
    _type("Bug", "CC293D", _RESOLVES, "Bug", "Something that does not work"),
    _type("Task", "F2CB1D", _STAYS_OPEN, "Task", "Work to do"),
    _type("Feature", "773B93", _STAYS_OPEN, "Feature", "Something that will be released"),
    _type("Epic", "FF7B00", _STAYS_OPEN, "Epic", "A large undertaking"),
    _type("Issue", "B4009E", _RESOLVES, "Issue", "Something in the way"),
    _type("Risk", "B4009E", _RESOLVES, "Issue", "Something that may come in the way"),
    _type("Change Request", "B4009E", _RESOLVES, "Issue", "A change to what was agreed"),
    _type("Review", "B4009E", "Active=InProgress, Resolved=Resolved, Closed=Completed", "Issue", "Results of a review"),
)

PROCESSES = (
    Process("Agile", "adcc42ab-9882-485e-a3ed-7678f01f66bc", _AGILE),
    Process("Scrum", "6b724908-ef14-45cf-84f8-768b5384da45", _SCRUM),
    Process("Basic", "b8a3a935-7e91-48b8-a94c-606d37c3e9f2", _BASIC),
    Process("CMMI", "27450541-8e31-4150-9947-dc59f998fc01", _CMMI),
)

_REASONS = {
    "Basic": {"To Do": "Moved to backlog", "Doing": "Started", "Done": "Completed"},
    "Agile": {"Active": "Implementation started", "Closed": "Completed", "Removed": "Removed from the backlog"},
    "Scrum": {"Committed": "Commitment made by the team", "Done": "Work finished", "In Progress": "Work started"},
    "CMMI": {"Active": "Accepted", "Closed": "Completed", "Resolved": "Code complete and system test passed"},
}
_FIRST_REASONS = {"Basic": "Added to backlog", "Agile": "New", "Scrum": "New backlog item", "CMMI": "New"}


def reason(process: Process, state: State, *, first: bool) -> str:
    """What System.Reason says when an item enters a state and nobody gave another reason."""
    if first:
        return _FIRST_REASONS[process.name]
    return _REASONS[process.name].get(state.name, f"Moved to state {state.name}")


def process_named(name: str) -> Process:
    """The process called name, or the one with that id; ValueError otherwise."""
    for process in PROCESSES:
        if name.lower() in (process.name.lower(), process.id):
            return process
    raise ValueError(f"no process {name!r}; there are {', '.join(process.name for process in PROCESSES)}")
