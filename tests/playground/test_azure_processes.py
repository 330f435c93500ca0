"""All four processes: their types, the categories of their states, and the rules of a new item's first state."""

import pytest
from azure.devops.exceptions import AzureDevOpsServiceError

from bot.playground.azure.processes import process_named
from tests.playground.azure_fixtures import op, served

FIRST_OF = {
    "Agile": ("User Story", {"Proposed": "New", "InProgress": "Active", "Resolved": "Resolved", "Completed": "Closed"}),
    "Scrum": ("Product Backlog Item", {"Proposed": "New", "InProgress": "Committed", "Completed": "Done"}),
    "Basic": ("Issue", {"Proposed": "To Do", "InProgress": "Doing", "Completed": "Done"}),
    "CMMI": ("Requirement", {"Proposed": "Proposed", "InProgress": "Active", "Completed": "Closed"}),
}


@pytest.mark.parametrize("process", FIRST_OF)
def test_an_item_walks_through_the_categories(process: str) -> None:
    kind, expected = FIRST_OF[process]
    with served(process) as world:
        wit = world.wit()
        first: dict[str, str] = {}
        for state in wit.get_work_item_type_states("Bikes", kind):
            first.setdefault(state.category, state.name)
        assert {name: state for name, state in first.items() if name != "Removed"} == expected
        item = wit.create_work_item([op("/fields/System.Title", "Walk")], "Bikes", kind)
        assert item.fields["System.State"] == expected["Proposed"]
        for category in ("InProgress", "Resolved", "Completed"):
            if category in expected:
                state = expected[category]
                item = wit.update_work_item([op("/fields/System.State", state)], item.id)
                assert (item.fields["System.State"], item.fields["System.BoardColumn"]) == (state, state)
        assert item.fields["Microsoft.VSTS.Common.ClosedBy"]["uniqueName"] == "bot@example.com"
        item = wit.update_work_item([op("/fields/System.State", expected["Proposed"])], item.id)
        assert "Microsoft.VSTS.Common.ClosedDate" not in item.fields


@pytest.mark.parametrize("process", FIRST_OF)
def test_a_new_item_cannot_start_anywhere_else(process: str) -> None:
    kind, states = FIRST_OF[process]
    done = [op("/fields/System.Title", "Too early"), op("/fields/System.State", states["Completed"])]
    with served(process) as world:
        with pytest.raises(AzureDevOpsServiceError, match="not in the list of supported values") as refused:
            world.wit().create_work_item(done, "Bikes", kind)
        assert refused.value.type_key == "RuleValidationException"
        item = world.wit().create_work_item(done, "Bikes", kind, bypass_rules=True)
        assert item.fields["System.State"] == states["Completed"]


def test_scrum_has_no_resolved_and_cmmi_calls_it_in_progress() -> None:
    scrum, cmmi = process_named("scrum"), process_named("CMMI")
    assert not [state for kind in scrum.types for state in kind.states if state.category == "Resolved"]
    requirement = cmmi.type("Requirement")
    assert requirement is not None
    state = requirement.state("resolved")
    assert state is not None
    assert state.category == "InProgress"


def test_types_and_categories_over_http() -> None:
    with served("Scrum") as world:
        wit = world.wit()
        kinds = {kind.name: kind for kind in wit.get_work_item_types("Bikes")}
        assert set(kinds) == {"Product Backlog Item", "Bug", "Task", "Feature", "Epic", "Impediment"}
        assert kinds["Bug"].reference_name == "Microsoft.VSTS.WorkItemTypes.Bug"
        category = wit.get_work_item_type_category("Bikes", "Microsoft.RequirementCategory")
        assert category.default_work_item_type.name == "Product Backlog Item"
        with pytest.raises(AzureDevOpsServiceError, match="VS402323"):
            wit.get_work_item_type("Bikes", "User Story")


def test_an_unknown_process_is_refused() -> None:
    with served() as world, pytest.raises(ValueError, match="Agile, Scrum, Basic, CMMI"):
        world.org.create_project("Boats", process="Waterfall")
