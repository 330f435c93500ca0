"""The place that all machines reach: versions, logs and requests of one machine as another sees them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from lifecycle import (
    Artifacts,
    Kind,
    LabelLog,
    OutOfReach,
    PredictionLog,
    Registry,
    SharedLog,
    Spec,
    State,
    Store,
    Version,
    connect,
)
from lifecycle.registry import BrokenVersion
from lifecycle.schema import metadata
from lifecycle.shipping import Shipping, fetch, length, more_of, read
from lifecycle.stored_retention import free

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(params=["file", "memory"])
def artifacts(request: pytest.FixtureRequest, tmp_path: Path) -> Artifacts:
    if request.param == "file":
        return Artifacts(f"file://{tmp_path}/shared")
    return Artifacts(f"memory://{uuid4().hex}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    engine = connect(f"sqlite:///{tmp_path / 'it.db'}")
    metadata.create_all(engine)
    yield Store(engine)
    engine.dispose()


def test_a_version_made_on_one_machine_is_deployed_on_another(
    artifacts: Artifacts, store: Store, tmp_path: Path
) -> None:
    one, other = (Registry(store.engine, tmp_path / name, artifacts) for name in ("one", "other"))
    package = tmp_path / "package"
    (package / "code").mkdir(parents=True)
    (package / "model.joblib").write_bytes(b"weights")
    (package / "code" / "line.py").write_text("LINE = 1\n")
    run = store.create(Spec(Kind.TRAIN, "octo/bikes", "line", "c" * 40, "github:octo/bikes#1", "mira"), "a", NOW)
    digest = one.seal(package, {"run": run.id})
    version = one.add(Version("octo/bikes", "line", 0, digest, run.id, "c" * 40, NOW, "PASS"), package, run)

    assert other.manifest(version)["run"] == run.id
    assert other.read(version, "code/line.py") == b"LINE = 1\n"
    assert not (tmp_path / "other").exists()  # a page reads what it shows, and no more
    other.verify(version)
    assert (other.folder(version) / "code" / "line.py").read_text() == "LINE = 1\n"
    assert one.add(version, package, run) == version

    (other.folder(version) / "model.joblib").write_bytes(b"others")
    with pytest.raises(BrokenVersion):
        other.verify(version)


def test_versions_from_before_there_was_a_place_are_published_when_there_is_one(
    artifacts: Artifacts, store: Store, tmp_path: Path
) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "model.joblib").write_bytes(b"weights")
    run = store.create(Spec(Kind.TRAIN, "octo/bikes", "line", "c" * 40, "github:octo/bikes#1", "mira"), "a", NOW)
    alone = Registry(store.engine, tmp_path / "one")
    digest = alone.seal(package, {"run": run.id})
    version = alone.add(Version("octo/bikes", "line", 0, digest, run.id, "c" * 40, NOW, "PASS"), package, run)
    other = Registry(store.engine, tmp_path / "other", artifacts)
    with pytest.raises(BrokenVersion):
        other.verify(version)
    Registry(store.engine, tmp_path / "one", artifacts).publish_all()
    other.verify(version)


def test_what_is_there_but_not_what_was_sealed_is_no_version(
    artifacts: Artifacts, store: Store, tmp_path: Path
) -> None:
    version = Version("octo/bikes", "line", 1, "0" * 64, 1, "c" * 40, NOW, "PASS")
    artifacts.write(f"versions/octo/bikes/line/{'0' * 64}/manifest.json", b'{"files": {"../../evil": ""}}')
    with pytest.raises(BrokenVersion):
        Registry(store.engine, tmp_path / "versions", artifacts).verify(version)


def test_a_log_is_seen_piece_by_piece_while_it_grows_and_whole_afterwards(artifacts: Artifacts, tmp_path: Path) -> None:
    path, copy = tmp_path / "log", tmp_path / "copy"
    shipping, said = Shipping(artifacts), b""
    assert read(artifacts, "logs/job", 0) == (b"", 0)
    for number in range(5):
        said += b"line %d\n" % number
        path.write_bytes(said)
        shipping.ship("logs/job", lambda start: more_of(path, start))
        shipping.ship("logs/job", lambda start: more_of(path, start))
        if number == 2:
            fetch(artifacts, "logs/job", copy)
            shipping = Shipping(artifacts)  # the worker was started anew: it goes on where it was
    assert len(artifacts.list("logs/job")) == 5

    def everything() -> bytes:
        found, offset = b"", 0
        while True:
            data, offset = read(artifacts, "logs/job", offset, limit=5)
            if not data:
                return found
            found += data

    assert everything() == said
    shipping.finish("logs/job", lambda name: artifacts.put(path, name))
    shipping.finish("logs/job", lambda name: artifacts.put(path, name))
    assert [name for name, _ in artifacts.list("logs/job")] == ["whole"]
    assert everything() == said
    assert length(artifacts, "logs/job") == len(said)
    fetch(artifacts, "logs/job", copy)
    assert copy.read_bytes() == said


def test_what_models_were_asked_on_any_machine_is_one_log(artifacts: Artifacts, tmp_path: Path) -> None:
    machines = []
    for name in ("one", "two"):
        own = PredictionLog(tmp_path / name)
        machines.append((own, SharedLog(own, tmp_path / name / "others", artifacts, name)))
    (one, ours), (two, theirs) = machines

    def rows() -> list[int]:
        since, until = NOW - timedelta(days=2), NOW + timedelta(days=1)
        return sorted(x for batch in ours.read("line", since, until, None) for x in batch.column("x").to_pylist())

    one.append("line", NOW, "r1", "v1", [{"x": 1}], [0.0])
    two.append("line", NOW - timedelta(days=1), "r2", "v1", [{"x": 2}], [0.0])
    two.append("line", NOW + timedelta(minutes=1), "r3", "v1", [{"x": 3}], [0.0])
    assert rows() == [1]
    theirs.ship(NOW)
    assert rows() == [1, 2, 3]
    assert ours.latest("line", None) == NOW + timedelta(minutes=1)
    pieces = ours.pieces("line")
    assert list(pieces) == ["2026-03-01.jsonl", "two/2026-02-28.jsonl", "two/2026-03-01.jsonl"]
    lines = [line for piece in pieces for lot, _ in ours.lines("line", piece, 0) for line in lot]
    assert [line.row["x"] for line in lines] == [1, 2, 3]
    two.append("line", NOW + timedelta(minutes=2), "r4", "v1", [{"x": 4}], [0.0])
    theirs.ship(NOW)
    theirs.ship(NOW + timedelta(days=1))
    assert rows() == [1, 2, 3, 4]
    assert {name for day, _ in artifacts.list("predictions/two/line") for name, _ in
            artifacts.list(f"predictions/two/line/{day}")} == {"whole"}  # fmt: skip
    assert rows() == [1, 2, 3, 4]


def test_labels_sent_to_any_machine_are_known_to_all_and_the_newest_counts(
    artifacts: Artifacts, tmp_path: Path
) -> None:
    one, two = (LabelLog(tmp_path / name, artifacts, tmp_path / name / "others", name) for name in ("one", "two"))
    older = tmp_path / "two" / "labels" / "line.jsonl"  # as kept by a bot from before there were days
    older.parent.mkdir(parents=True)
    older.write_text('{"at":"2026-01-01T00:00:00+00:00","key":"old","label":0}\n')

    def send(log: LabelLog, label: int, minutes: int) -> None:
        log.append("line", NOW + timedelta(minutes=minutes), b'{"labels": [{"key": "k", "label": %d}]}' % label)

    send(one, 1, 0)
    assert two.read("line") == {"old": 0}
    one.ship(NOW)
    two.ship(NOW)
    assert two.read("line") == {"old": 0, "k": 1}
    send(two, 2, 1)
    assert two.read("line")["k"] == 2
    assert one.read("line") == {"old": 0, "k": 1}
    two.ship(NOW)
    assert one.read("line") == {"old": 0, "k": 2}
    send(one, 3, 2)
    for log in (one, two):
        log.ship(NOW + timedelta(days=1))
    for _ in range(2):  # also from what was copied
        assert one.read("line") == two.read("line") == {"old": 0, "k": 3}
    assert [name for name, _ in artifacts.list("labels/one/line/2026-03-01")] == ["whole"]


def test_a_place_that_cannot_be_had_says_what_to_install() -> None:
    with pytest.raises(OutOfReach, match="one of its extras"):
        Artifacts("s3://bucket/folder")
    with pytest.raises(OutOfReach, match="needs another package"):
        Artifacts("nonsense://bucket")


def test_a_name_leads_nowhere_else(artifacts: Artifacts) -> None:
    for name in ("/etc/passwd", "a/../../b", ""):
        with pytest.raises(ValueError, match="not the name"):
            artifacts.read(name)


def test_what_a_place_raises_is_one_kind_of_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutOfReach, match="could not write logs/a"):
        Artifacts(f"file://{tmp_path}/file").write("logs/a", b"")


def test_old_logs_days_and_rows_are_freed_and_those_of_open_runs_kept(
    artifacts: Artifacts, store: Store, tmp_path: Path
) -> None:
    registry, runs = Registry(store.engine, tmp_path / "versions", artifacts), []
    for number, days in enumerate((200, 150, 50)):
        spec = Spec(Kind.TRAIN, "octo/bikes", f"line-{number}", "c" * 40, "github:octo/bikes#1", "mira")
        runs.append(store.create(spec, str(number), NOW - timedelta(days=days)))
        artifacts.write(f"logs/run-{runs[-1].id}-train-fit-1/whole", b"said")
        artifacts.write(f"known/line/run-{runs[-1].id}.parquet", b"rows")
    for run in (runs[0], runs[2]):
        store.end(run, State.FAILED, "", NOW - timedelta(days=40))
    store.end(runs[1], State.FAILED, "", NOW - timedelta(days=140))
    for day in ("2024-01-01", "2026-02-28"):
        artifacts.write(f"predictions/two/line/{day}/whole", b"asked")

    count = free(artifacts, registry, timedelta(days=90), timedelta(days=400), NOW, 100)
    assert count == 3
    assert [name for name, _ in artifacts.list("known/line")] == [f"run-{run.id}.parquet" for run in runs[::2]]
    assert [name for name, _ in artifacts.list("logs")] == [f"run-{run.id}-train-fit-1" for run in (runs[0], runs[2])]
    assert [name for name, _ in artifacts.list("predictions/two/line")] == ["2026-02-28"]
    assert free(artifacts, registry, timedelta(days=90), timedelta(days=400), NOW, 100) == 0
