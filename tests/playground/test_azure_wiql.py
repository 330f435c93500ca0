"""WIQL: what flat queries find, in which order, and that everything else is refused with its reason."""

from collections.abc import Iterator
from typing import Any

import pytest
from azure.devops.exceptions import AzureDevOpsServiceError
from azure.devops.v7_1.work_item_tracking.models import TeamContext, Wiql

from tests.playground.azure_fixtures import World, served


@pytest.fixture(name="world", scope="module")
def filled_world() -> Iterator[World]:
    """1 Alpha: Task, New. 2 beta: Bug, Active, Mira's. 3 Gamma: Task, Closed, in Models. 4 Other: in Cars."""
    with served() as world:
        org, project = world.org, world.project
        project.add_area("Models\\Demand")
        org.create_item(project, "Task", world.mira, **{"System.Title": "Alpha", "System.Tags": "lifecycle; run-1"})
        beta = org.create_item(project, "Bug", world.ada, **{"System.Title": "beta", "System.Tags": "lifecycle-old"})
        org.change_item(beta, world.ada, **{"System.State": "Active", "System.AssignedTo": "mira@example.com"})
        org.change_item(beta, world.ada, **{"System.Description": "<p>It's slow on Mondays</p>"})
        gamma = org.create_item(project, "Task", world.mira, **{"System.Title": "Gamma"})
        org.change_item(gamma, world.mira, **{"System.AreaPath": "Bikes\\Models\\Demand", "System.State": "Closed"})
        org.create_item(org.create_project("Cars"), "Task", world.ada, **{"System.Title": "Other"})
        yield world


def ask(world: World, where: str, top: int | None = None, precise: bool | None = None) -> Any:
    text = f"SELECT [System.Id], [System.Title] FROM WorkItems {where}"
    context = TeamContext(project="Bikes")
    return world.wit().query_by_wiql(Wiql(query=text), team_context=context, time_precision=precise, top=top)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("", [1, 2, 3, 4]),
        ("WHERE [System.TeamProject] = @project", [1, 2, 3]),
        ("where [system.teamproject] = @Project and [System.State] <> 'Closed'", [1, 2]),
        ("WHERE [Title] = 'ALPHA'", [1]),
        ("WHERE [System.Title] CONTAINS 'A'", [1, 2, 3]),
        ("WHERE [System.Title] NOT CONTAINS 'amm'", [1, 2, 4]),
        ("WHERE [System.Tags] CONTAINS 'lifecycle'", [1]),
        ("WHERE [System.Tags] CONTAINS 'LIFECYCLE' AND [System.Tags] CONTAINS 'run-1'", [1]),
        ("WHERE [System.Tags] CONTAINS 'run'", []),
        ("WHERE [System.Tags] IS EMPTY", [3, 4]),
        ("WHERE [System.Tags] IS NOT EMPTY", [1, 2]),
        ("WHERE [System.WorkItemType] IN ('Bug', 'Epic')", [2]),
        ("WHERE [System.WorkItemType] NOT IN ('Bug', 'Epic')", [1, 3, 4]),
        ("WHERE [System.WorkItemType] IN GROUP 'Microsoft.BugCategory'", [2]),
        ("WHERE [System.AreaPath] UNDER 'Bikes\\Models'", [3]),
        ("WHERE [System.AreaPath] NOT UNDER 'Bikes\\Models'", [1, 2, 4]),
        ("WHERE [System.AreaPath] = 'Bikes'", [1, 2]),
        ("WHERE [System.Id] > 1 AND [System.Id] <= 3", [2, 3]),
        ("WHERE [System.Id] IN (4, 1)", [1, 4]),
        ("WHERE [System.AssignedTo] = 'mira@example.com'", [2]),
        ("WHERE [System.AssignedTo] = 'Mira Holm <mira@example.com>'", [2]),
        ("WHERE [System.AssignedTo] = ''", [1, 3, 4]),
        ("WHERE [System.CreatedBy] = @me", []),
        ("WHERE [System.CreatedBy] <> 'Ada Berg'", [1, 3]),
        ("WHERE [System.State] = 'New' OR [System.State] = 'Closed' AND [System.Id] = 3", [1, 3, 4]),
        ("WHERE ([System.State] = 'New' OR [System.State] = 'Closed') AND [System.Id] = 3", [3]),
        ("WHERE [System.State] EVER 'New'", [1, 2, 3, 4]),
        ("WHERE EVER_IS_NO_FIELD = 1", None),
        ("WHERE [System.Description] CONTAINS WORDS 'slow mondays'", [2]),
        ("WHERE [System.Description] CONTAINS 'It''s'", [2]),
        ("WHERE [System.ChangedDate] >= @today - 1", [1, 2, 3, 4]),
        ("WHERE [System.ChangedDate] >= @today+1", []),
        ("WHERE [System.ChangedDate] < '2020-01-01'", []),
        ("WHERE [System.CreatedBy] = [System.ChangedBy]", [1, 2, 3, 4]),
        ("ORDER BY [System.Title]", [1, 2, 3, 4]),
        ("WHERE [System.Id] < 4 ORDER BY [System.State] ASC, [System.Id] DESC", [2, 3, 1]),
        ("ORDER BY [System.AssignedTo] DESC, [System.Title] DESC", [2, 4, 3, 1]),
    ],
)
def test_what_queries_find(world: World, where: str, found: list[int] | None) -> None:
    if found is None:
        with pytest.raises(AzureDevOpsServiceError, match="TF51005"):
            ask(world, where)
        return
    assert [item.id for item in ask(world, where).work_items] == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT [System.Bogus] FROM WorkItems", "TF51005.*«\\[System.Bogus\\]»"),
        ("SELECT [System.Id] FROM WorkItemLinks", "flat queries"),
        ("SELECT [System.Id] FROM WorkItems WHERE [System.Title]", "too early"),
        ("SELECT [System.Id] FROM WorkItems WHERE [System.Title] LIKE 'x'", "no operator LIKE"),
        ("SELECT [System.Id] FROM WorkItems WHERE ([System.Id] = 1", "too early"),
        ("SELECT [System.Id] FROM WorkItems WHERE [System.Id] = 1 ASOF '2020-01-01'", "ends before ASOF"),
        ("SELECT [System.Id] FROM WorkItems WHERE [System.Id] = 'many'", "wrong type"),
        ("SELECT [System.Id] FROM WorkItems WHERE [System.Tags] = 'x'", "CONTAINS only"),
        ("SELECT [System.Id] FROM WorkItems WHERE [System.Title] UNDER 'x'", "UNDER is for area"),
        ("SELECT [System.Id] FROM WorkItems WHERE [System.ChangedDate] > '2024-01-01T10:00:00Z'", "supply a time"),
        ("SELECT [System.Id] FROM WorkItems WHERE [System.Title] = 'open", "cannot be read"),
        ("DELETE FROM WorkItems", "needs SELECT"),
        ("", "too early"),
    ],
)
def test_what_is_refused(world: World, text: str, words: str) -> None:
    with pytest.raises(AzureDevOpsServiceError, match=words):
        world.wit().query_by_wiql(Wiql(query=text), team_context=TeamContext(project="Bikes"))


def test_the_answer_has_the_services_shape(world: World) -> None:
    answer = ask(world, "ORDER BY [System.Id] DESC", top=2)
    assert (answer.query_type, answer.query_result_type) == ("flat", "workItem")
    assert [column.reference_name for column in answer.columns] == ["System.Id", "System.Title"]
    assert [item.id for item in answer.work_items] == [4, 3]
    assert (answer.sort_columns[0].field.reference_name, answer.sort_columns[0].descending) == ("System.Id", True)


def test_times_need_time_precision(world: World) -> None:
    when = world.org.item(3)["System.ChangedDate"].isoformat()
    found = ask(world, f"WHERE [System.ChangedDate] >= '{when}'", precise=True)
    assert [item.id for item in found.work_items] == [3, 4]


def test_project_needs_a_project(world: World) -> None:
    query = Wiql(query="SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project")
    with pytest.raises(AzureDevOpsServiceError, match="@project needs a project"):
        world.wit().query_by_wiql(query)
