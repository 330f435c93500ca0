"""What people see of runs: lists that can be narrowed, stages, reports and logs."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from lifecycle import Kind, Run, Stage, State
from tests.web.house import MODEL, PROJECT, House
from tests.web.reader import Text, read

MODEL_PAGE = f"/models/{PROJECT}/{MODEL}"


def test_empty_house_says_what_to_do(client: FlaskClient) -> None:
    assert "/train name-of-the-model" in read(client, "/").text
    assert "/train name-of-the-model" in read(client, "/models").text


def test_runs_are_listed_newest_first(client: FlaskClient, runs: dict[str, Run]) -> None:
    found = [int(link.rsplit("/", 1)[1]) for link in read(client, "/").links() if re.fullmatch(r"/runs/\d+", link)]
    assert found == sorted((run.id for run in runs.values()), reverse=True)


@pytest.mark.parametrize("state", list(State))
def test_list_is_narrowed_by_state(client: FlaskClient, runs: dict[str, Run], state: State) -> None:
    links = read(client, f"/?state={state}").links()
    found = {int(link.rsplit("/", 1)[1]) for link in links if re.fullmatch(r"/runs/\d+", link)}
    assert found == {run.id for run in runs.values() if run.state is state}


def test_list_is_narrowed_by_model_and_by_place(client: FlaskClient, runs: dict[str, Run]) -> None:
    assert "octo/customers" in read(client, "/?model=octo/customers/churn-score").text
    only = read(client, "/?model=octo/customers/churn-score")
    assert sum(bool(re.fullmatch(r"/runs/\d+", link)) for link in only.links()) == 1
    there = read(client, "/?ref=github:octo/bikes%2314")
    assert "Only those asked in octo/bikes#14" in there.text
    assert sum(bool(re.fullmatch(r"/runs/\d+", link)) for link in there.links()) == 1


def test_pages_keep_the_filter(client: FlaskClient, house: House) -> None:
    for number in range(120):
        house.ask(Kind.TRAIN, 120 - number, key=str(number), model="odd" if number % 2 else "even")
    seen: list[int] = []
    path = "/?model=octo/bikes/odd&state=waiting"
    while path:
        links = read(client, path).links()
        seen += [int(link.rsplit("/", 1)[1]) for link in links if re.fullmatch(r"/runs/\d+", link)]
        path = next((link for link in links if "before=" in link), "")
        assert not path or "model=octo/bikes/odd" in path.replace("%2F", "/")
    assert len(seen) == 60
    assert seen == sorted(set(seen), reverse=True)


@pytest.mark.parametrize(
    "query", ["state=odd", "before=x", "before=99999999999999999999999", "model=%00", "model=a", "ref=%00", "before=-1"]
)
def test_nonsense_in_the_address_is_no_error(client: FlaskClient, runs: dict[str, Run], query: str) -> None:
    assert client.get(f"/?{query}").status_code == 200


def test_run_shows_what_was_asked_and_how_it_went(client: FlaskClient, runs: dict[str, Run], house: House) -> None:
    run = next(run for run in runs.values() if run.version == 2 and run.spec.kind is Kind.TRAIN)
    page = read(client, f"/runs/{run.id}")
    for words in (
        "Train bike-demand",
        "Succeeded",
        "Pass",
        "learning_rate",
        "2,142 rows, 104.2 s, 312 MB",
        "1 min 48 s",
    ):
        assert words in page.text
    for link in ("https://github.test/octo/bikes/issues/12", f"{MODEL_PAGE}/versions/2", f"/runs/{run.id}.json"):
        assert link in page.links()
    assert f"https://github.test/octo/bikes/commit/{run.spec.commit}" in page.links()


def test_report_has_verdict_table_slices_and_checks(client: FlaskClient, runs: dict[str, Run]) -> None:
    run = next(run for run in runs.values() if run.verdict == "FAIL")
    page = read(client, f"/runs/{run.id}")
    assert page.text.index("worse by 23 %") < page.text.index("Candidate")
    for words in ("weathersit: light rain", "46 slices were tested", "No held-back row", "+10.5 (+8.4 to +12.6)"):
        assert words in page.text
    assert sum(attrs.get("class") == "middle" for tag, attrs in page.tags if tag == "path") == 7


def test_first_version_has_a_report_without_a_champion(client: FlaskClient, runs: dict[str, Run]) -> None:
    assert "there is no champion to compare with" in read(client, "/runs/1").text


def test_waiting_run_says_its_place_in_line(client: FlaskClient, runs: dict[str, Run]) -> None:
    assert "Number 3 in line, behind #" in read(client, f"/runs/{runs['waiting-1'].id}").text


def test_running_page_reloads_itself_without_scripts(client: FlaskClient, runs: dict[str, Run]) -> None:
    page = client.get(f"/runs/{runs['running'].id}").text
    assert '<noscript><meta http-equiv="refresh"' in page
    assert "attempt 2" in Text(page).text
    assert '<meta http-equiv="refresh"' not in client.get(f"/runs/{runs['failed'].id}").text


def test_monitor_run_shows_the_window(client: FlaskClient, runs: dict[str, Run]) -> None:
    page = read(client, f"/runs/{runs['monitor:5'].id}")
    for words in ("Alarm", "1 of 4 columns moved", "median 0.61 instead of 0.24", "Not watched: instant"):
        assert words in page.text


def test_run_as_json(client: FlaskClient, runs: dict[str, Run]) -> None:
    run = next(run for run in runs.values() if run.verdict == "FAIL")
    found = client.get(f"/runs/{run.id}.json").get_json()
    assert found["spec"]["model"] == MODEL
    assert found["stages"][0]["started"].startswith("2025-05-04T14:27:06")
    assert client.get(f"/runs/{run.id}/report.json").get_json()["judgement"]["primary"]["metric"] == "mae"


def test_log_comes_in_pieces(client: FlaskClient, house: House) -> None:
    run = house.begin(house.ask(Kind.TRAIN, 1), Stage.TRAIN, 1, fit="run-1-train-fit-1")
    house.logs[(run.id, "train")] = b"one\ntwo\nhal"
    first = client.get(f"/runs/{run.id}/log?stage=train&offset=0").get_json()
    assert (first["text"], first["offset"], first["ended"], first["revision"]) == ("one\ntwo\n", 8, False, run.revision)
    house.logs[(run.id, "train")] += b"f\n\xf0\x9f"
    second = client.get(f"/runs/{run.id}/log?stage=train&offset={first['offset']}").get_json()
    assert (second["text"], second["offset"]) == ("half\n", 13)
    house.logs[(run.id, "train")] += b"\x9a\xb2"
    house.conclude(house.fail(run, Stage.TRAIN, 0, "no"), State.FAILED, 0, "no")
    last = client.get(f"/runs/{run.id}/log?stage=train&offset=13").get_json()
    assert (last["text"], last["ended"]) == ("🚲", True)
    assert client.get(f"/runs/{run.id}/log?offset=-5&stage=odd").get_json()["text"].startswith("one")


def test_huge_log_shows_its_end(client: FlaskClient, house: House) -> None:
    run = house.begin(house.ask(Kind.TRAIN, 1), Stage.TRAIN, 1, fit="run-1-train-fit-1")
    house.logs[(run.id, "train")] = b"".join(b"line %d\n" % number for number in range(400_000))
    answer = client.get(f"/runs/{run.id}")
    assert len(answer.data) < 100_000
    assert "line 399999\n" in answer.text
    assert re.search(r"The first \d\.\d MB are not shown", answer.text)


def test_log_that_is_no_longer_kept(client: FlaskClient, house: House, runs: dict[str, Run]) -> None:
    house.logs = {}
    assert "Nothing was written." in read(client, "/runs/1").text
    house.time += timedelta(days=90)
    assert "The log is no longer kept: logs are deleted 90 days after a run's end." in read(client, "/runs/1").text


def test_times_grow_old(client: FlaskClient, house: House) -> None:
    house.ask(Kind.TRAIN, 2)
    assert "2 min ago" in read(client, "/").text
    house.time += timedelta(days=40)
    assert "2025-06-03" in read(client, "/").text


def test_links_read_from_where_one_stands(client: FlaskClient, runs: dict[str, Run]) -> None:
    trained = next(run for run in runs.values() if run.version == 2 and run.spec.kind is Kind.TRAIN)
    text = read(client, f"/runs/{trained.id}").text
    assert "asked for in octo/bikes#12" in text
    assert "made bike-demand v2" in text
    assert "octo/bikes#12 planned together with AB#345" in text
    assert "Run 5 deployed bike-demand v2" in text
    assert "asked for Run" not in text  # the other runs of the same issue are one link away, not here
    saw = read(client, f"/runs/{runs['monitor:4'].id}")
    assert "first saw drift of bike-demand" in saw.text
    assert f"{MODEL_PAGE}#episode-1" in saw.links()


def test_promotion_shows_its_share_but_no_log_and_none_of_our_own_options(client: FlaskClient, house: House) -> None:
    options = {"share": 10, "policy": "0eef92b384de8fbd", "check": True}
    run = house.ask(Kind.PROMOTE, 1, version=3, options=options)
    text = read(client, f"/runs/{house.begin(run, Stage.DEPLOY, 1, server='serve-v3').id}").text
    assert "share 10" in text
    assert "rules of 0eef92b3" in text
    assert "check" not in text
    assert "Log" not in text
