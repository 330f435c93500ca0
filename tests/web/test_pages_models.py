"""What people see of models: who is in production, how it drifts, what a version is made of."""

from flask.testing import FlaskClient

from lifecycle import Kind, Run, Stage, State
from tests.web.house import MODEL, PROJECT, House
from tests.web.reader import read

MODEL_PAGE = f"/models/{PROJECT}/{MODEL}"


def test_model_page_tells_its_story(client: FlaskClient, runs: dict[str, Run]) -> None:
    page = read(client, MODEL_PAGE)
    for words in (
        "In production v2",
        "by cho",
        "90 %",
        "Drift since 2 d ago",
        "tracked in AB#390 and octo/bikes#31",
        "mae 38.2",
        "The last window",
    ):
        assert words in page.text, words
    assert '{"dataframe_records": [{"temp": 0.5, "hr": 1, "weathersit": "text"}]}' in page.text
    assert f"curl -s https://bot.test{MODEL_PAGE}/invocations" in page.text
    assert "https://dev.azure.test/Fabrikam/_workitems/edit/390" in page.links()


def test_model_without_a_version_has_a_page(client: FlaskClient, runs: dict[str, Run]) -> None:
    page = read(client, "/models/octo/customers/churn-score")
    assert "No run of this model has made a version yet." in page.text
    assert "Nothing serves this model now." in page.text


def test_version_page_lists_files_and_parent(client: FlaskClient, runs: dict[str, Run], house: House) -> None:
    page = read(client, f"{MODEL_PAGE}/versions/2")
    version = house.registry.get(PROJECT, MODEL, 2)
    assert version is not None
    manifest = house.registry.manifest(version)
    for name, digest in manifest["files"].items():
        assert f"{name} {digest}" in page.text
    assert f"{MODEL_PAGE}/versions/1" in page.links()
    assert version.digest in page.text


def test_version_whose_files_are_gone(client: FlaskClient, runs: dict[str, Run], house: House) -> None:
    version = house.registry.get(PROJECT, MODEL, 2)
    assert version is not None
    (house.registry.folder(version) / "manifest.json").write_text("{broken")
    assert "cannot be read on this machine" in read(client, f"{MODEL_PAGE}/versions/2").text


def test_a_run_whose_log_was_deleted_says_so(client: FlaskClient, house: House) -> None:
    run = house.ask(Kind.TRAIN, 60 * 24 * 91)
    run = house.begin(run, Stage.TRAIN, 60 * 24 * 91, fit=f"run-{run.id}-train-fit-1")
    house.conclude(run, State.FAILED, 60 * 24 * 91, "It ended with exit code 1.")
    fresh = house.ask(Kind.TRAIN, 60)
    fresh = house.begin(fresh, Stage.TRAIN, 60, fit=f"run-{fresh.id}-train-fit-1")
    house.conclude(fresh, State.FAILED, 60, "It ended with exit code 1.")
    assert "logs are deleted 90 days after a run&#39;s end" in client.get(f"/runs/{run.id}").text.replace("'", "&#39;")
    assert "Nothing was written." in client.get(f"/runs/{fresh.id}").text
