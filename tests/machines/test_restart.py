"""A worker that was killed and is back on its machine goes on at once; others would wait for its lease to end."""

import os
import signal
import time
from pathlib import Path

import pytest

from bot.playground.faults import Fault, Kind
from bot.playground.server import free_port
from bot.playground.stage import set_stage
from lifecycle import connect
from tests.machines.machines import Machines, machine
from tests.stories.repository import files
from tests.stories.world import World

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("machines")]
LEASE = 60  # seconds


def test_a_killed_worker_goes_on_as_soon_as_it_is_back(database: str, tmp_path: Path) -> None:
    port = free_port()
    stage = set_stage(tmp_path, f"http://127.0.0.1:{port}")
    stage.github.world.create_repo("octo/back", files(), by="mira")
    one = machine(tmp_path, stage, "one", port, database, ["back"], LEASE)
    for command in ("web", "work"):
        one.start(command)
    world = World(stage, one.url, tmp_path, one.processes["web"], lambda: one.processes["web"])
    engine = connect(database)
    try:
        world.eventually(lambda: world.http.get(f"{one.url}/healthz").ok, "it works", 120)
        machines, issue = Machines(world, one, one, engine), world.issue("back")
        slow = stage.github.faults.add(Fault(Kind.SLOW, method="POST", path="/reactions", seconds=8.0, times=None))
        issue.comment(f"/train name=back-{os.getpid()}")
        under_way = "SELECT executor_id FROM dbos.workflow_status WHERE status = 'PENDING' AND name = 'handle'"
        world.eventually(lambda: machines.ask(under_way), "the command is being carried out")
        time.sleep(1)
        os.kill(one.processes["work"].pid, signal.SIGKILL)
        one.processes["work"].wait(10)
        stage.github.faults.remove(slow)
        killed = time.monotonic()
        one.start("work")
        world.eventually(lambda: machines.ask("SELECT id FROM runs"), "the command goes on", 2 * LEASE)
        took = time.monotonic() - killed
        print(f"went on {took:.1f} s after the kill")
        assert took < LEASE
        issue.says("is good enough")
        assert len(issue.said()) == 1
    finally:
        engine.dispose()
        one.stop()
        one.close()
        world.close()
