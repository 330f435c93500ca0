"""True answers arrive late, in the repository by a key or at the bot by request; then is said how good answers were."""

import pytest

from tests.stories.drifting import Drifting, later_truth, spread_rows
from tests.stories.repository import as_requests
from tests.stories.world import World

pytestmark = pytest.mark.xdist_group("stories-4")


def test_answers_that_have_become_worse_open_an_item_though_nothing_else_moved(world: World) -> None:
    it = Drifting(world, "truths")
    it.serve()
    first = it.month(2)
    assert "is asked what it was trained for" in first
    assert "labels have arrived" not in first
    world.stage.github.world.push("mira", "octo/truths", "main", {"labels/march.csv": later_truth(3, 4.0)}, "Truth")
    said = it.month(3)
    assert "answers worse" in said.splitlines()[1]
    assert "rows whose labels have arrived" in said
    issue = it.the_issue("open")
    assert "answers worse than it did" in issue["title"]
    assert "are clearly worse than when it was validated" in issue["body"]
    assert "**How well it does.** mae rose from" in issue["body"].replace("\\", "")


def test_labels_can_be_sent_for_the_requests_that_they_answer(world: World) -> None:
    it = Drifting(world, "truths-sent")
    it.serve()
    asked = spread_rows(60, month=2)
    url = f"{world.url}/models/octo/truths-sent/line"
    answer = world.http.post(f"{url}/invocations", json={"dataframe_records": as_requests(asked)}, timeout=60)
    request = answer.headers["X-Lifecycle-Request"]
    labels = [{"request": request, "row": place, "label": row["y"]} for place, row in enumerate(asked)]
    assert world.http.post(f"{url}/labels", json={"labels": labels}, timeout=30).json() == {"kept": 60}
    wrong = world.http.post(f"{url}/labels", json={"labels": [{"label": 1}]}, timeout=30)
    assert (wrong.status_code, "each label needs either request" in wrong.json()["error"]) == (400, True)
    nowhere = world.http.post(f"{url.replace('line', 'curve')}/labels", json={"labels": labels}, timeout=30)
    assert nowhere.status_code == 404
    said = it.look(2)
    assert "is asked what it was trained for" in said
    assert "on 60 rows whose labels have arrived" in said
