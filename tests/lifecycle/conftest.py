"""What the tests of this folder share: executors with real environments, made once per session."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lifecycle.executors import Job, JobStatus
from lifecycle.executors.local import LocalExecutor, Wall
from lifecycle.executors.sandbox import Sandbox, probe
from tests.environments import of_the_run

PACKAGES = ("numpy", "pandas", "pyarrow", "scikit-learn", "joblib")
CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"


def pinned(*packages: str) -> str:
    """Requirements of these packages in the versions that the project itself is tested with."""
    known = dict(
        line.split("==", 1) for line in CONSTRAINTS.read_text().splitlines() if "==" in line and " ;" not in line
    )
    return "\n".join(f"{name}=={known[name]}" if name in known else name for name in packages)


MODEL_REQUIREMENTS = pinned(*PACKAGES)
needs_sandbox = pytest.mark.skipif(not isinstance(probe(), Sandbox), reason=f"no sandbox: {probe()}")


class Bench:
    """An executor, a tree to fill, and short words for running things in it."""

    def __init__(self, executor: LocalExecutor, tree: Path) -> None:
        self.executor = executor
        self.tree = tree
        self.tree.mkdir(exist_ok=True)
        self.names: list[str] = []

    def job(self, name: str, code: str, **more: object) -> Job:
        """A job that runs this Python text."""
        self.names.append(name)
        return Job(name, ("python", "-c", code), self.tree, **more)  # type: ignore[arg-type]

    def run(self, name: str, code: str, seconds: float = 30, **more: object) -> JobStatus:
        self.executor.submit(self.job(name, code, **more))
        return self.end(name, seconds)

    def end(self, name: str, seconds: float = 30) -> JobStatus:
        assert self.executor.wait([name], seconds) == {name}, self.log(name)
        return self.executor.status(name)

    def log(self, name: str) -> str:
        return self.executor.log(name, 0, 1 << 20)[0].decode(errors="replace")

    def until(self, name: str, words: str, seconds: float = 20) -> None:
        """Wait for a line of the log that begins so."""
        import time

        end = time.monotonic() + seconds
        while not any(line.startswith(words) for line in self.log(name).splitlines()):
            assert time.monotonic() < end, self.log(name)
            time.sleep(0.01)


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder of environments for the whole session, as on one machine."""
    base = tmp_path_factory.getbasetemp()
    return of_the_run(base / "here") or base / "environments"


MakeBench = Callable[..., Bench]


@pytest.fixture
def make_bench(tmp_path: Path, environments: Path) -> Iterator[MakeBench]:
    """Benches whose jobs are ended when the test is."""
    benches: list[Bench] = []

    def make(wall: Wall = "auto", folder: str = "", **more: object) -> Bench:
        root = tmp_path / (folder or f"executor-{wall}")
        more.setdefault("environments", environments)
        bench = Bench(LocalExecutor(root, wall, os.environ, **more), tmp_path / "tree")  # type: ignore[arg-type]
        benches.append(bench)
        return bench

    yield make
    for bench in benches:
        for name in bench.executor.running():
            bench.executor.cancel(name)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory, environments: Path) -> Path:
    """Folders of trained models: `number`, `word`, `code`; see models.py."""
    from tests.lifecycle.models import train

    root = tmp_path_factory.mktemp("models")
    executor = LocalExecutor(root, "auto", os.environ, environments=environments)
    return train(Bench(executor, root / "tree"), MODEL_REQUIREMENTS)


WALLS = [pytest.param("auto", marks=needs_sandbox, id="walled"), pytest.param("off", id="bare")]


@pytest.fixture(params=WALLS)
def bench(request: pytest.FixtureRequest, make_bench: MakeBench) -> Bench:
    """The same promises with and without a sandbox."""
    return make_bench(request.param)
