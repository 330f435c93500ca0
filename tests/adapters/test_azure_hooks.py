"""Azure DevOps' deliveries as events, those of its documentation and a real one."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.azure_hooks import TEST_BUTTON, BadDelivery, decode
from bot.events import WorkItemTouched

DATA = Path(__file__).parent / "data"


def sample(name: str, **changes: Any) -> bytes:
    return json.dumps({**json.loads((DATA / name).read_text("utf-8-sig")), **changes}).encode()


def test_an_update_names_the_item_and_not_the_update() -> None:
    (event,) = decode((DATA / "workitem.updated.captured-2023-anonymised.json").read_bytes(), "Contoso")
    at = datetime(2023, 3, 10, 19, 51, 27, 580_000, tzinfo=UTC)  # when it was changed, not when it was told
    assert event == WorkItemTouched("boards:Contoso/532", 11, at)


@pytest.mark.parametrize(("kind", "number", "revision"), [("created", 5, 1), ("commented", 5, 4)])
def test_what_was_created_or_commented_carries_its_own_number(kind: str, number: int, revision: int) -> None:
    (event,) = decode(sample(f"workitem.{kind}.json"), "Fabrikam")
    assert isinstance(event, WorkItemTouched)
    assert (event.ref, event.revision) == (f"boards:Fabrikam/{number}", revision)


def test_a_comment_and_its_update_are_one_event() -> None:
    update = json.loads(sample("workitem.updated.captured-2023-anonymised.json"))
    said = {**update, "eventType": "workitem.commented", "resource": update["resource"]["revision"]}
    (one,), (other,) = decode(json.dumps(update).encode(), "Contoso"), decode(json.dumps(said).encode(), "Contoso")
    assert one == other


def test_the_documentations_update_is_about_no_item() -> None:
    assert decode(sample("workitem.updated.json"), "Fabrikam") == ()


def test_the_test_button_and_other_kinds_are_nothing_to_us() -> None:
    assert decode(sample("workitem.commented.json", subscriptionId=TEST_BUTTON), "Fabrikam") == ()
    assert decode(sample("workitem.commented.json", eventType="git.push"), "Fabrikam") == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b"{}",
        sample("workitem.commented.json", resource=None),
        sample("workitem.commented.json", createdDate="yesterday"),
        sample("workitem.commented.json", resource={"id": "5", "rev": 1}),
    ],
)
def test_what_does_not_fit_is_a_bad_delivery_with_a_sentence(body: bytes) -> None:
    with pytest.raises(BadDelivery, match="not a service hook delivery of Azure DevOps"):
        decode(body, "Fabrikam")
