"""What programs get: scores, health, metrics; every refusal as JSON."""

from collections.abc import Mapping

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from bot.web.pages import create_pages
from lifecycle import Answer, Kind, Stage
from tests.web.house import MODEL, PROJECT, House
from tests.web.story import furnish

ADDRESS = f"/models/{PROJECT}/{MODEL}/invocations"


def test_scores_pass_through(client: FlaskClient, house: House) -> None:
    answer = client.post(ADDRESS, json={"dataframe_records": [{"temp": 0.5}]})
    assert (answer.status_code, answer.get_json()) == (200, {"predictions": [12.5]})
    assert answer.headers["X-Lifecycle-Version"] == "v3"
    assert house.asked == [(PROJECT, MODEL, b'{"dataframe_records": [{"temp": 0.5}]}')]


@pytest.mark.parametrize("status", [400, 404, 503])
def test_refusals_of_the_endpoint_pass_through(client: FlaskClient, house: House, status: int) -> None:
    house.answer = Answer(status, b'{"error": "no"}')
    answer = client.post(ADDRESS, json={})
    assert (answer.status_code, answer.get_json()) == (status, {"error": "no"})
    assert "X-Lifecycle-Version" not in answer.headers


def test_only_json_is_scored(client: FlaskClient, house: House) -> None:
    assert client.post(ADDRESS, data={"a": "b"}).status_code == 415
    assert client.post(ADDRESS, data=b"", content_type="application/json").status_code == 400
    assert house.asked == []


def test_too_large_is_refused_before_it_is_scored(client: FlaskClient, house: House) -> None:
    answer = client.post(ADDRESS, data=b"x" * (25 * 2**20 + 1), content_type="application/json")
    assert answer.status_code == 413
    assert "larger" in answer.get_json()["error"]
    assert house.asked == []


def test_programs_get_their_errors_as_json(client: FlaskClient) -> None:
    assert client.get("/runs/7.json").get_json()["error"].startswith("There is nothing at this address")
    assert client.get("/nothing", headers={"Accept": "application/json"}).is_json
    assert not client.get("/nothing", headers={"Accept": "text/html,*/*;q=0.8"}).is_json


def test_health(client: FlaskClient, house: House) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.get_json()["status"]) == (200, "ok")
    house.health["worker"] = "The worker has said nothing for 40 s."
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.get_json()["parts"]["worker"] == "The worker has said nothing for 40 s."


def test_health_survives_a_check_that_breaks(house: House) -> None:
    house.health = None  # type: ignore[assignment]
    answer = create_pages(house.views()).test_client().get("/healthz")
    assert answer.status_code == 503


def numbers(client: FlaskClient) -> Mapping[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = client.get("/metrics").text
    families = text_string_to_metric_families(text)
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples}


def test_metrics_of_an_empty_house(client: FlaskClient) -> None:
    found = numbers(client)
    assert found["lifecycle_runs_asked_total", ()] == 0
    assert found["lifecycle_inbox_depth", ()] == 4
    assert found["lifecycle_sweep_age_seconds", ()] == 90


def test_metrics_tell_runs_durations_drift_and_champion(client: FlaskClient, house: House) -> None:
    runs = furnish(house)
    found, model = numbers(client), (("model", MODEL), ("project", PROJECT))
    assert found["lifecycle_runs_asked_total", ()] == len(runs)
    assert found["lifecycle_runs_open", (("kind", "validate"), ("state", "waiting"))] == 2
    assert found["lifecycle_runs_recent", (("kind", "train"), ("state", "failed"))] == 2
    assert found["lifecycle_champion_version", model] == 2
    assert found["lifecycle_drift_worst_psi", model] == 2.4
    assert found["lifecycle_drift_episodes_open", model] == 1
    assert found["lifecycle_stage_seconds_bucket", (("le", "+Inf"), ("stage", "monitor"))] == 5
    assert found["lifecycle_stage_seconds_bucket", (("le", "5.0"), ("stage", "monitor"))] == 0
    assert found["lifecycle_stage_seconds_gsum", (("stage", "monitor"),)] == pytest.approx(30)


def test_two_applications_in_one_process_do_not_clash(house: House) -> None:
    first, second = create_pages(house.views()), create_pages(house.views())
    house.begin(house.ask(Kind.TRAIN, 1), Stage.TRAIN, 1)
    for app in (first, second):
        assert numbers(app.test_client())["lifecycle_runs_open", (("kind", "train"), ("state", "running"))] == 1
