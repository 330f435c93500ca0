"""Kills, at random instants: of the web process, the worker, `serve`, all of them, all and every job, one job alone."""

import random
import signal
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lifecycle.executors import processtree
from lifecycle.executors.jobfolder import JobFolder
from tests.torture import processes
from tests.torture.commands import Book
from tests.torture.house import House, Replica

KINDS = {
    "worker": 4,  # trainings go on and are found again
    "web": 3,
    "serve": 2,  # takes the other two with it
    "tree": 3,  # serve, web, worker and their helpers at one stroke
    "start-up": 3,  # the tree, and once more while it starts again
    "everything": 2,  # the tree and every job of the replica with its keeper, as when the machine fails
    "keeper": 2,  # of a job
    "job": 2,  # the job's own processes; its keeper lives
}
RESPITE = 0.6  # how often the next kill waits until somebody answers again: most days are no single outage
PAUSE = (17.0, 25.0)  # longer than a worker's lease


@dataclass(frozen=True, slots=True)
class Blow:
    """One kill: when, of what, and the jobs that lost their keeper or their processes by it."""

    at: float
    kind: str
    jobs: tuple[str, ...] = ()


class Harm:
    """`wanted` kills, spread over the day by how many commands have been given."""

    def __init__(self, house: House, book: Book, seed: int, wanted: int, commands: int) -> None:
        self.house, self.book, self.wanted, self._commands = house, book, wanted, commands
        self._dice = random.Random(f"{seed}/harm")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._rage, daemon=True)
        self.blows: list[Blow] = []
        self.pauses = 0

    def begin(self) -> None:
        self._thread.start()

    def busy(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def counts(self) -> dict[str, int]:
        return dict(Counter(blow.kind for blow in self.blows))

    def _rage(self) -> None:
        kinds = KINDS | ({"pause": 4} if len(self.house.replicas) > 1 else {})
        pack: list[str] = []
        while len(self.blows) < self.wanted and not self._over.is_set():
            due = self._commands * (len(self.blows) + 0.5) / self.wanted
            if len(self.book.commands) < min(due, self._commands - 1):
                self._over.wait(0.05)
                continue
            self._over.wait(self._dice.uniform(0.0, 3.0))
            pack = pack or self._dice.sample(list(kinds), sum(kinds.values()), counts=list(kinds.values()))
            kind = pack.pop()
            replica = self._dice.choice(self.house.replicas)
            with suppress(ProcessLookupError):
                self._strike(kind, replica)
            if self._dice.random() < RESPITE:
                self.house.wait_until_it_answers(30.0)

    def _strike(self, kind: str, replica: Replica) -> None:
        match kind:
            case "keeper" | "job":
                self._job(kind)
            case "pause":
                self._pause(replica)
            case "start-up":
                starts = replica.starts
                self._kill(kind, self._tree(replica))
                while replica.starts == starts and not self._over.wait(0.01):
                    pass
                self._over.wait(self._dice.uniform(0.0, 4.0))
                self._kill(kind, self._tree(replica))
            case "everything":
                running = tuple(one.name for one in _running(replica.state))
                self._kill(kind, [*self._tree(replica), *processes.carrying(replica.state)], running)
            case "tree":
                self._kill(kind, self._tree(replica))
            case _:
                self._kill(kind, replica.family().get(kind, []))

    def _kill(self, kind: str, pids: list[int], jobs: tuple[str, ...] = ()) -> None:
        if pids:
            self.blows.append(Blow(time.time(), kind, jobs))
            print(f"{time.strftime('%H:%M:%S')} kill {kind} {' '.join(jobs)}", file=sys.stderr)
            processes.send(pids, signal.SIGKILL)

    def _tree(self, replica: Replica) -> list[int]:
        return [pid for pids in replica.family().values() for pid in pids]

    def _job(self, kind: str) -> None:
        """Strike one job that runs now, servers of models too; waits a little for one."""
        for _ in range(100):
            running = [folder for state in self.house.states for folder in _running(state)]
            if running:
                job = self._dice.choice(running)
                keeper = JobFolder(job).keeper()
                below = processtree.descendants(keeper) if keeper else []
                pids = [keeper] if keeper and kind == "keeper" else below
                if pids:
                    self._kill(kind, pids, (job.name,))
                    return
            if self._over.wait(0.05):
                return

    def _pause(self, replica: Replica) -> None:
        tree = self._tree(replica)
        self.pauses += 1
        print(f"{time.strftime('%H:%M:%S')} pause {replica.port}", file=sys.stderr)
        processes.send(tree, signal.SIGSTOP)
        self._over.wait(self._dice.uniform(*PAUSE))
        processes.send(tree, signal.SIGCONT)


def _running(state: Path) -> list[Path]:
    """The folders of the jobs that run now, servers of models too."""
    return [folder for folder in sorted((state / "jobs").glob("*/")) if JobFolder(folder).kept()]
