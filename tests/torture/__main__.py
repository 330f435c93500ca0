"""The torture as a program, `python -m tests.torture`: prints the accounts as JSON; exit code 0 if all held."""

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.bench.postgres import postgres
from tests.torture.day import Plan, torture


def main() -> int:
    """Live one day."""
    said = _arguments()
    with _database(said.database) as url:
        patience = 240.0 + said.commands  # what people asked for in the last minute has still to be done
        plan = Plan(said.commands, said.kills, url, said.replicas, said.seed, said.minutes, patience)
        accounts = torture(plan, _say if said.verbose else lambda _: None, said.keep)
    if not said.full:  # counts; what they count was told in full to whoever asked for it
        accounts = {name: _counted(value) for name, value in accounts.items()}
    json.dump(accounts, sys.stdout, indent=1, ensure_ascii=False)
    print()
    return 0 if accounts["held"] else 1


def _counted(value: object) -> object:
    """A long list as its length and first entries."""
    if isinstance(value, list) and len(value) > 12:
        return [f"{len(value)} of them, such as", *value[:12]]
    return value


@contextlib.contextmanager
def _database(name: str) -> Iterator[str]:
    if name == "sqlite":
        yield ""
        return
    with postgres() as url:
        yield url


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--commands", type=int, default=500)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--replicas", type=int, choices=(1, 2, 3), default=1, help="more than one needs postgresql")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=30.0, help="after so many, no further commands and kills")
    parser.add_argument("--keep", type=Path, help="a folder for everything, kept for looking into")
    parser.add_argument("--full", action="store_true", help="every list in full")
    parser.add_argument("--verbose", action="store_true", help="say how far it is")
    said = parser.parse_args()
    if said.replicas > 1 and said.database == "sqlite":
        parser.error("with SQLite there can be one worker")
    return said


if __name__ == "__main__":
    sys.exit(main())
