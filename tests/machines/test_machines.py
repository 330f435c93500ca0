"""Two machines share the work: one of them dies, stalls, stops as it should; and a promotion reaches both."""

import os
import signal
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
import sqlalchemy as sa

from lifecycle import connect
from tests.machines.machines import Machines, machines
from tests.stories.repository import as_requests, rows
from tests.stories.test_cancel import alive
from tests.stories.world import version_in

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("machines")]


@pytest.fixture(scope="module")
def both(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    name = f"d{uuid4().hex}"
    engine = connect(server)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    with machines(tmp_path_factory.mktemp("machines"), server.rsplit("/", 1)[0] + f"/{name}") as made:
        yield made


def versions(both: Machines, run: int) -> list[str]:
    return [row.digest for row in both.ask("SELECT digest FROM versions WHERE run = :run", run=run)]


def test_the_run_of_a_machine_that_dies_is_done_by_another_within_a_minute(both: Machines) -> None:
    issue, name = both.world.issue("dies"), f"dies-{os.getpid()}"
    issue.comment(f"/train sleep=4 name={name}")
    both.world.eventually(lambda: alive(name), "the training's child runs")
    run = both.run_of("dies", issue.number)
    dead = both.on(run.host)
    dead.kill()
    killed = time.monotonic()
    both.world.eventually(lambda: not alive(name), "nothing of it is left", patience=10)

    both.world.eventually(lambda: alive(name), "it trains on the other machine", patience=60)
    assert time.monotonic() - killed < 60
    issue.says("is good enough")
    after = both.run_of("dies", issue.number)
    assert after.id == run.id
    assert after.host == both.other(dead).host
    assert len(versions(both, run.id)) == 1
    assert len(issue.said()) == 1
    stages = both.ask("SELECT attempt FROM stages WHERE run = :run ORDER BY position", run=run.id)
    assert [row.attempt for row in stages] == [2, 1, 1]
    for machine in (both.one, both.two):  # whoever is asked shows what was written where it ran
        page = both.world.http.get(f"{machine.url}/runs/{run.id}").text
        assert "attempt 2" in page
        assert "fitted" in page
    dead.start("work")


def test_a_machine_that_stalls_ends_what_it_trained_and_writes_over_nothing(both: Machines) -> None:
    issue, name = both.world.issue("stalls"), f"stalls-{os.getpid()}"
    issue.comment(f"/train sleep=7 name={name}")
    before = both.world.eventually(lambda: alive(name), "the training's child runs")
    run = both.run_of("stalls", issue.number)
    stalled = both.on(run.host)
    stalled.processes["work"].send_signal(signal.SIGSTOP)

    both.world.eventually(lambda: set(alive(name)) - set(before), "it trains on the other machine", patience=60)
    second = set(alive(name)) - set(before)
    other = both.other(stalled)
    page = both.world.http.get(f"{stalled.url}/runs/{run.id}").text
    assert "its output arrives here some seconds late" in page
    report = issue.says("is good enough")
    (made,) = versions(both, run.id)
    assert len(second) <= 2

    stalled.processes["work"].send_signal(signal.SIGCONT)
    both.world.eventually(lambda: not alive(name), "what it trained is gone")
    time.sleep(3)
    after = both.run_of("stalls", issue.number)
    assert (after.state, after.host) == ("succeeded", other.host)
    assert versions(both, run.id) == [made]
    assert issue.said() == [report]


def test_a_machine_that_stops_as_it_should_keeps_its_training_beside_a_newer_version(both: Machines) -> None:
    with both.database.begin() as connection:  # as a newer version would, which only adds
        connection.execute(sa.text("ALTER TABLE runs ADD COLUMN newer TEXT"))
        connection.execute(sa.text("INSERT INTO inbox (id, kind, body) VALUES ('newer:1', 'SeenInTheFuture', '{}')"))
    issue, name = both.world.issue("drains"), f"drains-{os.getpid()}"
    issue.comment(f"/train sleep=12 name={name}")
    before = both.world.eventually(lambda: alive(name), "the training's child runs")
    run = both.run_of("drains", issue.number)
    machine = both.on(run.host)
    began = time.monotonic()
    machine.processes["work"].terminate()
    assert machine.processes["work"].wait(30) == 0
    assert time.monotonic() - began < 30
    assert set(before) <= set(alive(name))

    machine.start("work")
    issue.says("is good enough")
    after = both.run_of("drains", issue.number)
    assert (after.host, after.tenure) == (run.host, run.tenure)
    assert len(issue.said()) == 1
    (row,) = both.ask("SELECT dispatched FROM inbox WHERE id = 'newer:1'")
    assert row.dispatched == 2  # set aside, for whoever knows it


def test_a_promotion_reaches_both_machines_and_a_cancellation_the_right_one(both: Machines) -> None:
    issue = both.world.issue("shares")
    issue.comment("/train")
    number = version_in(issue.says("is good enough"))
    issue.comment(f"/promote v{number}", by="jonas")
    given = {"dataframe_records": [{"at": "2011-02-01T00:00:00", "x": 0.5, "z": 0.1}]}

    def answers(url: str) -> bool:
        reply = both.world.http.post(f"{url}/models/octo/shares/line/invocations", json=given, timeout=60)
        return reply.status_code == 200 and reply.headers["X-Lifecycle-Version"] == f"v{number}"

    for machine in (both.one, both.two):
        both.world.eventually(lambda machine=machine: answers(machine.url), f"{machine.name} serves", patience=90)
        assert f"v{number}" in both.world.http.get(f"{machine.url}/models/octo/shares/line").text
        said = both.world.http.get(f"{machine.url}/metrics").text
        assert {both.one.host, both.two.host} <= {
            line.split('host="')[1].split('"')[0] for line in said.splitlines() if "worker_seen_seconds{" in line
        }
        assert both.world.http.get(f"{machine.url}/healthz").json()["host"] == machine.host

    names = [f"cancel-{number}-{os.getpid()}" for number in range(3)]
    others = [both.world.issue(repo) for repo in ("shares", "dies", "stalls")]
    for thread, name in zip(others, names, strict=True):
        thread.comment(f"/train sleep=600 name={name}")
    for name in names:
        both.world.eventually(lambda name=name: alive(name), f"{name} runs")
    for thread, name in zip(others, names, strict=True):
        thread.comment("/cancel", by="jonas")
        both.world.eventually(lambda name=name: not alive(name), f"{name} is gone", patience=10)
        thread.says("was cancelled")


def test_labels_and_held_back_rows_of_one_machine_are_known_to_the_monitor_of_another(both: Machines) -> None:
    issue = both.world.issue("learns")
    issue.comment("/train")
    number = version_in(issue.says("is good enough"))
    made = both.on(both.run_of("learns", issue.number).host)
    issue.comment(f"/promote v{number}", by="jonas")
    issue.says(f"v{number} serves")
    url = f"{made.url}/models/octo/learns/line"

    def ask(month: int, moved: float) -> str:
        given = {"dataframe_records": as_requests(rows(120, month=month, moved=moved))}
        reply = both.world.http.post(f"{url}/invocations", json=given, timeout=60)
        return str(reply.headers["X-Lifecycle-Request"]) if reply.status_code == 200 else ""

    request = both.world.eventually(lambda: ask(2, 0.0), f"{made.name} serves", patience=90)
    assert ask(3, 2.0)
    labels = [{"request": request, "row": place, "label": row["y"]} for place, row in enumerate(rows(120, month=2))]
    assert both.world.http.post(f"{url}/labels", json={"labels": labels}, timeout=30).json() == {"kept": 120}
    time.sleep(6)  # what is written on a machine is shipped every few seconds
    made.processes["work"].terminate()
    assert made.processes["work"].wait(30) == 0

    issue.comment("/monitor window=2011-02")
    issue.says("on 120 rows whose labels have arrived")
    issue.comment("/monitor window=2011-03")
    issue.says("without labels")
    for run in both.ask(
        "SELECT host FROM runs WHERE ref = :ref ORDER BY id DESC LIMIT 2", ref=f"github:octo/learns#{issue.number}"
    ):
        assert run.host == both.other(made).host
    made.start("work")
