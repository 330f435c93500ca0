"""Real object stores, over sockets: `python -m tests.stores` prints what held; exit code 0 if all did."""

import argparse
import sys
import tempfile
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.bench.postgres import postgres, programs
from tests.stores import replicas, tables
from tests.stores.emulators import emulator, missing

KINDS = ("s3", "abfs")


def main() -> int:
    """Try each store."""
    said = _arguments()
    if needed := missing() or ("PostgreSQL's programs" if programs() is None else ""):
        print(f"This needs {needed}. See tests/stores/README.md.", file=sys.stderr)
        return 2
    good = True
    for kind in said.stores:
        with tempfile.TemporaryDirectory(prefix="stores-") as name, emulator(kind, Path(name)) as it:
            print(f"== {kind}", flush=True)
            for part in said.parts:
                folder = Path(name) / part
                folder.mkdir()
                if part == "tables":
                    good &= _told(tables.held(it, folder, said.megabytes))
                    continue
                with postgres() as database:
                    good &= _told(replicas.held(it, folder, database))
    return 0 if good else 1


def _told(facts: Iterable[tuple[str, Any]]) -> bool:
    """Print each as it comes; whether all held."""
    try:
        for what, found in facts:
            print(f"  {what}: {'yes' if found is True else found}", flush=True)
    except Exception:  # whatever it was, the next store has its turn
        print("  DID NOT HOLD:", traceback.format_exc()[-3000:], flush=True)
        return False
    return True


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.stores", description=__doc__)
    parser.add_argument("--stores", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--parts", nargs="+", choices=("tables", "replicas"), default=("tables", "replicas"))
    parser.add_argument("--megabytes", type=int, default=400, help="of the files that are read in bounded memory")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
