"""Two machines whose place for artifacts is the store: what one makes, the other shows and serves."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.machines.machines import Machine, Machines, machines
from tests.stores.emulators import BUCKET, Emulator, refusing
from tests.stories.repository import TRAIN, as_requests, rows
from tests.stories.test_cancel import alive
from tests.stories.world import version_in

SAYS = "for number in range(2000): print('line', number, sorted(os.environ), flush=True)\n"  # what a job knows
BIG = "(Path(os.environ['LIFECYCLE_OUTPUT']) / 'ballast.bin').write_bytes(os.urandom(200 << 20))\n"
AWAY = 35.0  # seconds: longer than a page waits, and than a machine takes to be gone


def held(it: Emulator, folder: Path, database: str) -> Iterator[tuple[str, Any]]:
    """What is asked of them, one after the other, and what came of it; AssertionError ends it."""
    with machines(folder, database, f"{it.url}/life") as both:
        both.world.stage.github.world.push("mira", "octo/shares", "main", {"train.py": TRAIN + SAYS + BIG}, "Talks")
        yield from _made_and_shown(both, it)
        yield from _away(both, it)
        yield "no secret in logs, pages, job logs, state folders or what the store holds", _secrets(both, it)
        yield "doctor", _doctor(both.one, it.environment)
        with refusing(it, folder) as wrong:
            yield "doctor, with wrong credentials", _doctor(both.one, wrong)
        yield "doctor, while the store is away", _doctor_away(both.one, it)


def _made_and_shown(both: Machines, it: Emulator) -> Iterator[tuple[str, Any]]:
    issue, name = both.world.issue("shares"), "shares-slow"
    issue.comment(f"/train sleep=10 name={name}")
    both.world.eventually(lambda: alive(name), "it trains")
    run = both.run_of("shares", issue.number)
    one, other = both.on(run.host), both.other(both.on(run.host))
    page = f"{other.url}/runs/{run.id}"

    def text(url: str) -> str:
        return str(both.world.http.get(url, timeout=120).text)

    both.world.eventually(lambda: "reading the data" in text(page), "the other shows the log while it grows")
    yield "log of a training that runs, on the other machine", True
    number = version_in(issue.says("is good enough", patience=240))
    began = time.monotonic()
    shown = text(page)
    assert "line 1999" in shown, "the end of the log"
    assert "<figure" in shown or "<svg" in shown, "figures"
    yield "page with log, report and figures on the other machine, s", round(time.monotonic() - began, 2)
    log = both.world.http.get(f"{page}/log?stage=train&offset=0", timeout=60).json()
    assert "reading the data" in log["text"][:1000], log["text"][:1000]
    assert both.world.http.get(f"{page}/report.json", timeout=60).status_code == 200
    version = f"{other.url}/models/octo/shares/line/versions/{number}"
    assert "ballast.bin" in text(version), "the version's files"
    for file in ("MODEL_CARD.md", "report.json"):
        assert both.world.http.get(f"{version}/{file}", timeout=60).status_code == 200, file
    yield "log, report, version's page and downloads on the other machine", True
    yield from _served(both, issue, number, other)
    yield "what lies there", sorted({name.split("/")[2] for name in it.files().find(f"{BUCKET}/life")})
    assert one.name != other.name


def _served(both: Machines, issue: Any, number: int, other: Machine) -> Iterator[tuple[str, Any]]:
    given = {"dataframe_records": as_requests(rows(5, month=2))}
    issue.comment(f"/promote v{number}", by="jonas")
    began = time.monotonic()

    def answers() -> bool:
        url = f"{other.url}/models/octo/shares/line/invocations"
        reply = both.world.http.post(url, json=given, timeout=60)
        return reply.status_code == 200 and reply.headers["X-Lifecycle-Version"] == f"v{number}"

    both.world.eventually(answers, "the other serves", patience=180)
    yield "a version of 200 MB promoted, and served by the other machine, s", round(time.monotonic() - began, 1)


def _away(both: Machines, it: Emulator) -> Iterator[tuple[str, Any]]:
    """The store goes while a run trains, and comes back after the run is over as far as training is concerned."""
    issue, name = both.world.issue("dies"), "dies-away"
    issue.comment(f"/train sleep=8 name={name}")
    both.world.eventually(lambda: alive(name), "it trains")
    run = both.run_of("dies", issue.number)
    other = both.other(both.on(run.host))
    time.sleep(4)
    it.go_away()
    gone = time.monotonic()
    try:
        page = both.world.http.get(f"{other.url}/runs/{run.id}", timeout=120)
        yield "page while the store is away, s", round(time.monotonic() - gone, 1)
        assert page.status_code == 200
        assert "cannot be shown just now" in page.text, "the page says why"
        yield "what it says", page.text.partition("The output cannot be")[2].partition("</p>")[0]
        health = both.world.http.get(f"{other.url}/healthz", timeout=60).status_code
        yield "health meanwhile", health
        time.sleep(max(0.0, AWAY - (time.monotonic() - gone)))
    finally:
        it.come_back()
    back = time.monotonic()
    issue.says("is good enough", patience=240)
    yield "the run ends well after the store is back, s", round(time.monotonic() - back, 1)
    after = both.run_of("dies", issue.number)
    assert (after.id, after.state) == (run.id, "succeeded")
    both.world.eventually(
        lambda: "fitted" in both.world.http.get(f"{other.url}/runs/{run.id}", timeout=60).text, "its log on the other"
    )
    yield "its whole log, on the other machine", True


def _doctor(machine: Machine, environment: Any) -> list[str]:
    argv = [sys.executable, "-m", "bot", "doctor", "--settings", str(machine.settings)]
    said = subprocess.run(argv, env={**machine.environment, **environment}, capture_output=True, text=True, timeout=300)
    lines = said.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if "artifacts" in line)
    return [line.strip() for line in lines[at : at + 2]]


def _doctor_away(machine: Machine, it: Emulator) -> list[str]:
    it.go_away()
    try:
        return _doctor(machine, {})
    finally:
        it.come_back()


def _secrets(both: Machines, it: Emulator) -> bool:
    secret = it.secret.encode()
    for path in both.one.settings.parent.rglob("*"):
        with contextlib.suppress(OSError):
            assert not path.is_file() or secret not in path.read_bytes(), path
    there = it.files()
    for name in there.find(f"{BUCKET}/life"):
        assert name.endswith("ballast.bin") or secret not in there.cat_file(name), name
    for address in ("", "runs/1", "models", "events", "healthz", "metrics"):
        assert secret not in both.world.http.get(f"{both.two.url}/{address}", timeout=60).content, address
    return True
