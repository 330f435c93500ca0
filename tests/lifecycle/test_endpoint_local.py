"""A local endpoint: deployments that come up, share traffic, come back, and are asked in MLflow's JSON."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lifecycle.endpoints import Answer, Serving
from lifecycle.endpoints.local import LocalEndpoint
from lifecycle.executors import JobState
from tests.lifecycle.conftest import Bench, MakeBench

ROW = {"when": "2011-01-01T00:00:00", "temp": 0.5, "hour": 3, "kind": "a"}
WANTED = 0.5 * 10 + 3 + 5


def now() -> datetime:
    return datetime.now(UTC)


def body(*rows: dict[str, object]) -> bytes:
    return json.dumps({"dataframe_records": rows or [ROW]}).encode()


def predictions(answer: Answer) -> list[float]:
    assert answer.status == 200, answer
    return json.loads(answer.body)["predictions"]


class Served:
    """An endpoint, its executor's bench and the folder of models."""

    def __init__(self, bench: Bench, models: Path, root: Path) -> None:
        self.bench = bench
        self.models = models
        self.endpoint = LocalEndpoint(root, bench.executor, now)

    def up(self, name: str, kind: str = "number") -> None:
        self.endpoint.deploy("bikes", name, self.models / kind)
        self.ready(name)

    def ready(self, name: str, seconds: float = 90) -> None:
        until = time.monotonic() + seconds
        while (status := self.endpoint.status(name)).state is not Serving.READY:
            assert status.state is Serving.STARTING, status
            assert time.monotonic() < until
            time.sleep(0.1)

    def kill(self, name: str) -> str:
        """End the server as a crash would; the name of its job."""
        jobs = sorted((self.bench.executor.root / "jobs").glob(f"{name}.*"))
        keeper = json.loads((jobs[-1] / "pid.json").read_text())["pid"]
        (child,) = Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()
        os.kill(int(child), signal.SIGKILL)
        self.bench.executor.wait([jobs[-1].name], 10)
        return jobs[-1].name


@pytest.fixture
def served(make_bench: MakeBench, models: Path, tmp_path: Path) -> Iterator[Served]:
    served = Served(make_bench("auto"), models, tmp_path / "endpoint")
    yield served
    for path in (served.endpoint.root / "deployments").glob("*.json"):
        served.endpoint.retire(path.stem)


def test_a_version_comes_up_gets_traffic_answers_and_goes(served: Served):
    endpoint = served.endpoint
    assert endpoint.status("bikes.v1").state is Serving.UNKNOWN
    assert endpoint.score("bikes", body()).status == 404
    endpoint.deploy("bikes", "bikes.v1", served.models / "number")
    endpoint.deploy("bikes", "bikes.v1", served.models / "number")
    endpoint.route("bikes", {"bikes.v1": 100})
    early = endpoint.score("bikes", body())
    assert (early.status, json.loads(early.body)) == (503, {"error": "bikes.v1 is starting"})
    served.ready("bikes.v1")
    begun = datetime.now(UTC)
    answer = endpoint.score("bikes", body())
    assert predictions(answer) == [pytest.approx(WANTED)]
    assert answer.version == "bikes.v1"
    (batch,) = endpoint.requests.read("bikes", begun - timedelta(minutes=1), begun + timedelta(minutes=1), None)
    assert batch.to_pylist() == [{**ROW, "prediction": pytest.approx(WANTED)}]
    elsewhere = LocalEndpoint(endpoint.root, served.bench.executor, now)
    assert elsewhere.routes("bikes") == {"bikes.v1": 100}
    assert elsewhere.score("bikes", body()).status == 200
    assert elsewhere.status("bikes.v1").state is Serving.READY
    check_forms(endpoint)
    check_mistakes(endpoint)
    endpoint.route("bikes", {})
    assert elsewhere.routes("bikes") == {}
    endpoint.retire("bikes.v1")
    endpoint.retire("bikes.v1")
    assert elsewhere.status("bikes.v1").state is Serving.UNKNOWN
    assert served.bench.executor.status("bikes.v1.1").state is JobState.UNKNOWN


def check_forms(endpoint: LocalEndpoint) -> None:
    """All of MLflow's forms are the same question."""
    split = {"columns": list(ROW), "index": [0], "data": [list(ROW.values())]}
    for form in (
        {"dataframe_split": split},
        {"inputs": [ROW]},
        {"inputs": {name: [value] for name, value in ROW.items()}},
        {"instances": [ROW]},
        {"inputs": [[0.5, 3, "a"]]},
        {"dataframe_records": [{**ROW, "unheard": 1, "hour": "3"}]},
        {"dataframe_records": [{"kind": "a", "hour": 3.0, "temp": 0.5}]},
    ):
        assert predictions(endpoint.score("bikes", json.dumps(form).encode())) == [pytest.approx(WANTED)], form
    unknown = predictions(endpoint.score("bikes", body({**ROW, "kind": "never seen"})))
    assert unknown == [pytest.approx(WANTED - 2.5)]


def check_mistakes(endpoint: LocalEndpoint) -> None:
    """Every mistake is answered in a sentence, and the server goes on."""
    for wrong, status, words in (
        (b"{", 400, "not JSON"),
        (b"[" * 100_000, 400, "not JSON"),
        (b"\xff", 400, "not JSON"),
        (b"[]", 400, "JSON object"),
        (b'{"rows": []}', 400, "dataframe_records"),
        (b'{"dataframe_records": []}', 400, "no rows"),
        (b'{"dataframe_records": [1]}', 400, "list of objects"),
        (b'{"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}', 400, "as long as its columns"),
        (b'{"dataframe_split": 1}', 400, "columns and data"),
        (b'{"inputs": {"a": [1], "b": [1, 2]}}', 400, "same length"),
        (body({"temp": 1}), 400, "hour"),
        (body({**ROW, "temp": "warm"}), 400, "warm"),
        (body({**ROW, "temp": None}), 400, "cannot predict this"),
        (body({**ROW, "temp": [1]}), 400, ""),
        (body({**ROW, "when": "soon", "temp": {"a": 1}}), 400, ""),
        (body(*[ROW] * 10_001), 413, "10,001 rows"),
        (b" " * (26 << 20), 413, "25 MB"),
    ):
        answer = endpoint.score("bikes", wrong)
        assert answer.status == status, (wrong[:80], answer)
        assert words in json.loads(answer.body)["error"], answer
    assert endpoint.score("bikes", body()).status == 200


def test_traffic_is_shared_by_request_and_a_dead_version_is_covered_for_and_comes_back(served: Served):
    endpoint = served.endpoint
    served.up("bikes.v1")
    served.up("bikes.v2")
    endpoint.route("bikes", {"bikes.v1": 70, "bikes.v2": 30})
    requests = [body({**ROW, "temp": n / 400}) for n in range(120)]
    first = [endpoint.score("bikes", request).version for request in requests]
    assert 15 < first.count("bikes.v2") < 60
    assert [endpoint.score("bikes", request).version for request in requests[:20]] == first[:20]
    endpoint.route("bikes", {"bikes.v1": 40, "bikes.v2": 60})
    second = [endpoint.score("bikes", request).version for request in requests]
    assert all(b == "bikes.v2" for a, b in zip(first, second, strict=True) if a == "bikes.v2")
    job = served.kill("bikes.v2")
    assert {endpoint.score("bikes", request).version for request in requests[:20]} == {"bikes.v1"}
    assert served.bench.executor.status(job).state is JobState.UNKNOWN
    served.ready("bikes.v2")
    assert {endpoint.score("bikes", request).version for request in requests[:20]} == {"bikes.v1", "bikes.v2"}
    with pytest.raises(ValueError, match="add up to 90"):
        endpoint.route("bikes", {"bikes.v1": 90})
    with pytest.raises(ValueError, match="no deployment"):
        endpoint.route("bikes", {"bikes.v9": 100})


def test_a_server_that_was_lost_with_its_keeper_comes_back(served: Served):
    served.up("bikes.v1")
    folder = served.bench.executor.output("bikes.v1.1").parent
    os.kill(json.loads((folder / "pid.json").read_text())["pid"], signal.SIGKILL)
    served.bench.executor.wait(["bikes.v1.1"], 10)
    until = time.monotonic() + 90
    while served.bench.executor.status("bikes.v1.2").state is not JobState.RUNNING:
        served.endpoint.status("bikes.v1")  # ready, for as long as the server outlives its keeper by a moment
        assert time.monotonic() < until
        time.sleep(0.1)
    served.ready("bikes.v1")
    served.endpoint.route("bikes", {"bikes.v1": 100})
    assert predictions(served.endpoint.score("bikes", body())) == [pytest.approx(WANTED)]


def test_a_server_that_dies_again_and_again_rests_and_is_then_tried_again(served: Served):
    late = timedelta(0)
    served.endpoint.now = lambda: now() + late
    served.up("bikes.v1")
    for _ in range(5):
        served.kill("bikes.v1")
        served.ready("bikes.v1")
    served.kill("bikes.v1")
    status = served.endpoint.status("bikes.v1")
    assert status.state is Serving.FAILED
    assert "it died 5 times within ten minutes" in status.reason
    late = timedelta(seconds=40)
    served.ready("bikes.v1")


def test_a_model_that_cannot_be_loaded_has_failed_and_may_be_tried_again(served: Served, tmp_path: Path):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "requirements.txt").write_text((served.models / "number" / "requirements.txt").read_text())
    endpoint = served.endpoint
    endpoint.deploy("bikes", "bikes.v1", broken)
    served.bench.executor.wait(["bikes.v1.1"], 60)
    status = endpoint.status("bikes.v1")
    assert status.state is Serving.FAILED
    assert "neither model.skops nor model.joblib" in status.reason
    assert endpoint.status("bikes.v1") == status
    (broken / "model.joblib").write_bytes((served.models / "number" / "model.joblib").read_bytes())
    served.endpoint.deploy("bikes", "bikes.v1", broken)
    served.ready("bikes.v1")


def test_classes_and_a_stream_of_single_rows_at_speed(served: Served):
    served.up("bikes.v1", "word")
    served.endpoint.route("bikes", {"bikes.v1": 100})
    said = json.loads(served.endpoint.score("bikes", body({**ROW, "temp": 0.1}, {**ROW, "temp": 0.9})).body)
    assert said["predictions"] == ["low", "high"]
    assert [round(sum(row), 6) for row in zip(*said["probabilities"].values(), strict=True)] == [1, 1]
    (first,) = served.endpoint.requests.lines("bikes", next(iter(served.endpoint.requests.pieces("bikes"))), 0)
    assert first[0][1].probabilities == {name: chances[1] for name, chances in said["probabilities"].items()}
    assert predictions(served.endpoint.score("bikes", body(*[{**ROW, "temp": 0.9}] * 10_000))) == ["high"] * 10_000
    requests = [body({**ROW, "temp": n / 1600}) for n in range(1600)]
    answers: list[int] = []

    def ask(part: list[bytes]) -> None:
        answers.extend(served.endpoint.score("bikes", request).status for request in part)

    threads = [threading.Thread(target=ask, args=(requests[n::16],)) for n in range(16)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = len(requests) / (time.monotonic() - begun)
    assert answers == [200] * 1600
    print(f"{rate:.0f} requests/s")
    assert rate > 60  # far below what it does alone (see the bench), for machines that are busy
    logged = served.endpoint.requests.read("bikes", now() - timedelta(hours=1), now() + timedelta(hours=1), None)
    assert sum(batch.num_rows for batch in logged) == 1600 + 10_000 + 2
