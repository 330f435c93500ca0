"""Labels never arrive: how well a model probably answers is estimated, until labels tell how well it did."""

import pytest

from tests.stories.drifting import Drifting
from tests.stories.unlabelled import hours
from tests.stories.world import World

pytestmark = pytest.mark.xdist_group("stories-4")


def test_a_classifier_that_is_asked_harder_questions_gets_an_item_though_no_label_arrives(world: World) -> None:
    it = Drifting(world, "unlabelled")
    it.serve()
    assert world.score(it.repo, hours(2, target="yes-no")).status_code == 200
    assert "Estimated without labels" not in it.look(2)
    asked = hours(3, target="yes-no", hard=True)
    request = world.score(it.repo, asked).headers["X-Lifecycle-Request"]
    said = it.look(3)
    assert "Estimated without labels: auc fell from" in said
    assert "cannot see it if the same inputs now have other right answers" in said
    assert "A retrain item was opened." in said
    body = it.the_issue("open")["body"]
    assert "is probably wrong more often than when it was validated" in body
    assert "**How well it does.** Estimated without labels: auc fell from" in body
    assert "| ≈ 0." in body
    page = world.page(f"models/octo/{it.repo}/line").text
    assert "Estimated without labels: auc fell from" in page

    labels = [{"request": request, "row": place, "label": row["y"]} for place, row in enumerate(asked)]
    url = f"{world.url}/models/octo/{it.repo}/line/labels"
    assert world.http.post(url, json={"labels": labels}, timeout=30).json() == {"kept": len(labels)}
    known = it.look(3)
    assert "rows whose labels have arrived" in known
    assert "Estimated" not in known
    world.eventually(lambda: "answers worse than it did" in it.the_issue("open")["title"], "the item says so")
    assert "Estimated" not in it.the_issue("open")["body"]
