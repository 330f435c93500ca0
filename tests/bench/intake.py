"""How fast webhooks are taken in with every event on disk, next to a Probot that does and stores nothing.

    python -m tests.bench.intake [--rounds 9] [--seconds 2] [--no-postgres]

Prints JSON; README.md says what the figures are. Needs npm, which fetches Probot into a temporary folder.
"""

import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.inbox import inbox
from tests.bench.load import MARK, Result, Task
from tests.bench.postgres import postgres, programs

HERE = Path(__file__).parent
SECRET = "a secret of the benchmark"
PACKAGES = {"probot": "^14", "@octokit/webhooks-examples": "^7"}
SIZE = 14_000  # bytes; of the real deliveries we take the one nearest to it
STEADY_RATE = 300


@dataclass
class Server:
    """One that is measured."""

    name: str
    url: str
    pid: int
    database: str = ""


class Bench:
    """The measurements; counts the comment ids, so that no two deliveries are the same."""

    def __init__(self, folder: Path, body: Path) -> None:
        self.folder = folder
        self.body = body
        self._first = 10**17  # as many digits as the mark, without leading zeros, which JSON forbids

    def load(self, server: Server, seconds: float, rate: float = 0, acknowledged: str = "") -> Result:
        """Have the load generator, a process of its own, do it."""
        with self.loading(server, seconds, rate, acknowledged) as process:
            out, _ = process.communicate()
        assert process.returncode == 0, f"the load generator failed against {server.name}"
        return Result(**json.loads(out))

    @contextlib.contextmanager
    def loading(
        self, server: Server, seconds: float, rate: float = 0, acknowledged: str = ""
    ) -> Iterator[subprocess.Popen[bytes]]:
        """The load generator at work."""
        task = Task(server.url, str(self.body), SECRET, self._first, seconds, rate, acknowledged=acknowledged)
        self._first += 1_000_000
        path = self.folder / "task.json"
        path.write_text(json.dumps(asdict(task)))
        with subprocess.Popen([sys.executable, "-m", "tests.bench.load", path], stdout=subprocess.PIPE) as process:
            yield process

    def round(self, server: Server, seconds: float) -> dict[str, float]:
        """One saturated stretch."""
        before = _cpu_seconds(server.pid)
        result = self.load(server, seconds)
        _expect_all(server, result)
        return {
            "per_second": round(result.answered / result.seconds, 1),
            "server_cpu_us": round((_cpu_seconds(server.pid) - before) / result.answered * 1e6),
            "load_cpu_us": round(result.cpu_seconds / result.answered * 1e6),
            **_milliseconds(result),
        }

    def steady(self, server: Server, seconds: float) -> dict[str, float]:
        """Latency at a rate that is well below saturation."""
        result = self.load(server, seconds, STEADY_RATE)
        _expect_all(server, result)
        return {"answered": result.answered, **_milliseconds(result)}

    def kill(self, server: Server) -> dict[str, int]:
        """Kill the server hard under load; every delivery that was acknowledged must be in the table."""
        path = self.folder / "acknowledged"
        with self.loading(server, 30, acknowledged=str(path)) as process:
            time.sleep(2)
            os.kill(server.pid, signal.SIGKILL)
            process.communicate()
        acknowledged = set(path.read_text().split())
        engine = sa.create_engine(server.database)
        with engine.connect() as connection:
            stored = {id_.rpartition("/")[2] for id_ in connection.scalars(sa.select(inbox.c.id))}
        engine.dispose()
        return {"acknowledged": len(acknowledged), "lost": len(acknowledged - stored)}


def main() -> None:
    """Measure in alternating rounds and print."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="intake-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        _install(folder)
        bench = Bench(folder, _real_body(folder))
        servers = [stack.enter_context(_sqlite(folder)), stack.enter_context(_probot(folder))]
        if programs() and not arguments.no_postgres:
            url = stack.enter_context(postgres())
            servers.append(stack.enter_context(_ours("postgresql", url, folder)))
        rounds: dict[str, list[dict[str, float]]] = {server.name: [] for server in servers}
        for server in servers:
            bench.load(server, 1.5)
        for _ in range(arguments.rounds):
            for server in servers:
                rounds[server.name].append(bench.round(server, arguments.seconds))
        report = {
            "body_bytes": bench.body.stat().st_size,
            "fdatasync_ms": _fdatasync(folder),
            "saturated": {name: _summary(rounds[name], rounds["probot"]) for name in rounds},
            "steady": {server.name: bench.steady(server, arguments.seconds * 4) for server in servers},
            "killed": {server.name: bench.kill(server) for server in servers if server.database},
        }
    print(json.dumps(report, indent=2))


def _expect_all(server: Server, result: Result) -> None:
    failed = (result.refused, result.broken)
    assert failed == (0, 0), f"{server.name}: (refused, broken off) = {failed}"


def _summary(rounds: list[dict[str, float]], probots: list[dict[str, float]]) -> dict[str, Any]:
    middle = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
    ratio = middle["per_second"] / statistics.median(one["per_second"] for one in probots)
    return {"ratio_to_probot": round(ratio, 3), "median": middle, "rounds": [one["per_second"] for one in rounds]}


def _milliseconds(result: Result) -> dict[str, float]:
    cuts = statistics.quantiles(result.latencies, n=1000)
    return {name: round(cuts[at] * 1000, 2) for name, at in (("p50_ms", 499), ("p99_ms", 989), ("p999_ms", 998))}


def _install(folder: Path) -> None:
    (folder / "package.json").write_text(json.dumps({"private": True, "type": "module", "dependencies": PACKAGES}))
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True)
    (folder / "noop.mjs").write_text((HERE / "noop.mjs").read_text())


def _real_body(folder: Path) -> Path:
    """A real issue_comment delivery from GitHub's own collection, with a mark where its comment's id was."""
    examples = folder / "node_modules/@octokit/webhooks-examples/api.github.com/index.json"
    kinds = json.loads(examples.read_text())
    [comments] = [kind["examples"] for kind in kinds if kind["name"] == "issue_comment"]
    bodies = []
    for one in comments:
        if one["action"] == "created":
            one["comment"]["id"] = int(MARK)
            bodies.append(json.dumps(one, separators=(",", ":"), ensure_ascii=False).encode())
    path = folder / "body.json"
    path.write_bytes(min(bodies, key=lambda body: abs(len(body) - SIZE)))
    return path


@contextlib.contextmanager
def _ours(name: str, database: str, folder: Path) -> Iterator[Server]:
    own, ready = folder / name, folder / f"{name}.ready"
    own.mkdir(exist_ok=True)
    argv: list[str | Path] = [
        sys.executable,
        "-m",
        "tests.bench.intake_server",
        database,
        own,
        ready,
        SECRET,
    ]
    with _running(subprocess.Popen(argv)) as process:
        _wait(ready.exists)
        url = f"http://{ready.read_text().strip()}/webhooks/github"
        yield Server(name, url, process.pid, database)


def _sqlite(folder: Path) -> contextlib.AbstractContextManager[Server]:
    return _ours("sqlite", f"sqlite:///{folder}/inbox.db", folder)


@contextlib.contextmanager
def _probot(folder: Path) -> Iterator[Server]:
    env = {**os.environ, "SECRET": SECRET, "NODE_ENV": "production"}
    with _running(subprocess.Popen(["node", "noop.mjs"], cwd=folder, env=env, stdout=subprocess.PIPE)) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        yield Server("probot", f"http://127.0.0.1:{port}/webhooks/github", process.pid)


@contextlib.contextmanager
def _running(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    with process:
        try:
            yield process
        finally:
            process.terminate()


def _wait(until: Any) -> None:
    end = time.monotonic() + 20
    while not until():
        assert time.monotonic() < end, "the server does not start"
        time.sleep(0.05)


def _cpu_seconds(pid: int) -> float:
    """What the process has used; where there is no /proc, 0."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _fdatasync(folder: Path) -> float:
    """Median milliseconds that the disk takes to keep 8 KB, without which the rates mean little."""
    times = []
    with Path(folder, "probe").open("wb", buffering=0) as file:
        for _ in range(100):
            began = time.perf_counter()
            file.write(bytes(8192))
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    return round(statistics.median(times) * 1000, 3)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the webhook intake.")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=2.0, help="of one round")
    parser.add_argument("--no-postgres", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
