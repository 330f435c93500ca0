"""One of two workers, as a process of its own: begins a workflow and is killed, or takes over what another had."""

import sys
import time
from pathlib import Path

from bot.alive import Alive
from bot.engine import Engine
from bot.later import Later
from bot.schema import metadata
from lifecycle import connect

LEASE = 1.0


def main(url: str, noted: Path, role: str) -> None:
    """`begin` starts a workflow of three steps, the second of which never ends; `finish` takes over and ends it."""
    database = connect(url)
    metadata.create_all(database)
    alive = Alive(database, alone=False, host=role, lease=LEASE)
    engines: list[Engine] = []

    def note(words: str) -> str:
        with noted.open("a") as file:
            file.write(f"{role} {words}\n")
        return words

    def work(number: int) -> None:
        engine = engines[0]
        engine.step("first", lambda: note(f"first {number}"))
        engine.step("second", lambda: wait() if role == "begin" else note(f"second {number}"))
        engine.step("third", lambda: note(f"third {number}"))

    def wait() -> str:
        note("waits")
        while True:
            time.sleep(1)

    engines.append(Engine(url, alive, Later(database), {"work": work}))
    engines[0].launch()
    if role == "begin":
        engines[0].start("work", "it", 7)
    while True:
        engines[0].take_over()
        engines[0].take_over()  # twice changes nothing
        time.sleep(LEASE / 4)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
