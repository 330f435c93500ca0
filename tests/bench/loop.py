"""Measures the running bot against the playground: start, idle cost, time to the training's first line, calls; JSON.

Run it alone on the machine: `python -m tests.bench.loop`. The environment of the model is made before anything is
timed, since that depends on the network.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests

from bot.playground.demo import start_bot, stop_bot, stop_jobs
from bot.playground.reader import Reader
from bot.playground.server import free_port
from bot.playground.stage import MIRA, REPOSITORY, Stage, set_stage

IDLE_SECONDS = 30
TICKS = os.sysconf("SC_CLK_TCK")
ROUNDS = 5


def main() -> int:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        url = f"http://127.0.0.1:{port}"
        stage = set_stage(folder, url)
        begun = time.monotonic()
        bot = start_bot(folder, stage, url, port)
        try:
            answers = _until(f"{url}/", begun)
            works = _until(f"{url}/healthz", begun)
            figures: dict[str, object] = {
                "answers_after_seconds": round(answers, 2),
                "works_after_seconds": round(works, 2),
                "idle": _idle(bot),
            }
            figures |= _runs(stage, folder, url)
            figures["idle_after_work"] = _idle(bot)
        finally:
            stop_bot(bot)
            stop_jobs(folder / "state")
            stage.close()
    json.dump(figures, sys.stdout, indent=1)
    print()
    return 0


def _until(url: str, begun: float) -> float:
    while True:
        try:
            if requests.get(url, timeout=5).ok:
                return time.monotonic() - begun
        except requests.RequestException:
            pass
        time.sleep(0.02)


def _family(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=", "--no-headers"], capture_output=True, text=True, check=True)
    parents = {int(line.split()[0]): int(line.split()[1]) for line in listed.stdout.splitlines()}
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def _cpu(pids: list[int]) -> float:
    fields = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in pids]
    return sum(int(one[11]) + int(one[12]) for one in fields) / TICKS


def _rss_mb(pids: list[int]) -> float:
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def _idle(bot: "subprocess.Popen[bytes]") -> dict[str, float]:
    time.sleep(5)
    pids = _family(bot.pid)
    before = _cpu(pids)
    time.sleep(IDLE_SECONDS)
    share = (_cpu(pids) - before) / IDLE_SECONDS
    return {"processes": len(pids), "cpu_percent_of_a_core": round(100 * share, 2), "rss_mb": round(_rss_mb(pids), 1)}


def _runs(stage: Stage, folder: Path, url: str) -> dict[str, object]:
    world, reader = stage.github.world, Reader(stage, url)
    _train(stage, folder, reader, 1)  # makes the environment
    waits, issue_calls = [], {}
    for number in range(2, 2 + ROUNDS):
        before = len(stage.github.faults.log), len(stage.azure_faults.log)
        waits.append(_train(stage, folder, reader, number))
        time.sleep(1.0)
        issue_calls = _calls(stage, *before)
    before = len(stage.github.faults.log), len(stage.azure_faults.log)
    text = (Path(__file__).parents[2] / "bot/playground/data/bikes/train.py").read_text()
    commit = world.push(
        MIRA, REPOSITORY, "slower", {"train.py": text.replace('"max_iter": 100', '"max_iter": 90')}, "x"
    )
    world.pull_open(MIRA, REPOSITORY, "Fewer trees", "slower")
    while not reader.check(commit).get("conclusion"):
        time.sleep(0.1)
    time.sleep(2.0)
    return {
        "webhook_to_first_line_seconds": {"median": round(statistics.median(waits), 3), "all": waits},
        "calls_for_an_issue_run": issue_calls,
        "calls_for_a_pull_request": _calls(stage, *before),
    }


def _train(stage: Stage, folder: Path, reader: Reader, number: int) -> float:
    """Comment `/train`, wait for the end; seconds from the comment to the training's first line."""
    world = stage.github.world
    issue = world.issue_open(MIRA, REPOSITORY, f"Round {number}").number
    log = folder / "state" / "jobs" / f"run-{number}-train-fit-1" / "log"
    time.sleep(0.5)
    begun = time.monotonic()
    world.comment(MIRA, REPOSITORY, issue, "/train bike-demand")
    while not (log.exists() and b"reading the data" in log.read_bytes()):
        time.sleep(0.005)
    waited = time.monotonic() - begun
    while not any("is good enough" in said for said in reader.said(issue)):
        time.sleep(0.1)
    return round(waited, 3)


def _calls(stage: Stage, github: int, azure: int) -> dict[str, int]:
    """How many calls our bot made since then."""
    ours = [
        one
        for one in list(stage.github.faults.log)[github:]
        if "lifecycle-bot" in one.owner or one.owner.startswith("app:")
    ]
    theirs = [one for one in list(stage.azure_faults.log)[azure:] if one.owner == "lifecycle-bot@example.com"]
    return {
        "github_reads": sum(one.method == "GET" for one in ours),
        "github_writes": sum(one.method != "GET" and "/access_tokens" not in one.path for one in ours),
        "azure_reads": sum(one.method in ("GET", "OPTIONS") for one in theirs),
        "azure_writes": sum(one.method not in ("GET", "OPTIONS") for one in theirs),
    }


if __name__ == "__main__":
    sys.exit(main())
