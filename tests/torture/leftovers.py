"""What must not be left when all is over: processes, half-made files, rows that nobody will ever look at again."""

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import create_engine, text

from lifecycle.executors.jobfolder import JobFolder
from tests.torture import processes
from tests.torture.house import House


def leaked(states: Iterable[Path]) -> list[str]:
    """Files and folders that a killed process left and nobody removed, from their state folder on."""
    return sorted(f"{state.name}/{path.relative_to(state)}" for state in states for path in _left(state))


def _left(state: Path) -> set[Path]:
    found: list[Path] = []
    for job in (state / "jobs").glob("*"):
        if not JobFolder(job).kept():
            found += [state / "work" / job.name] if (state / "work" / job.name).exists() else []
            found += [path for path in job.glob("*.json.*") if path.is_file()]
    patterns = (
        "repositories/trees/*/making-*", "data/making-*", "data/**/making-*", "versions/**/making-*", "trash/*",
        "repositories/mirrors/*/objects/pack/tmp_*", "repositories/mirrors/*/objects/**/tmp_obj_*",
        "repositories/mirrors/**/*.git/*.lock", "endpoints/**/.*.json.*.*", "runs/*/*.tmp",
    )  # fmt: skip
    for pattern in patterns:
        found += [path for path in state.glob(pattern) if not path.name.endswith(".json.lock")]
    for environment in (state / "environments").glob("*/"):
        if not (environment / "lifecycle-ready.txt").exists():
            found.append(environment)
    return set(found)


def orphaned(house: House) -> list[str]:
    """Processes that carry our state folder and are neither a keeper that should live nor below one; the bot is off."""
    expected: set[int] = set()
    for job in (path for state in house.states for path in (state / "jobs").glob("serve-*")):
        keeper = JobFolder(job).keeper()
        if keeper:
            expected |= set(processes.tree(keeper))
    mine = [one.process.pid for one in house.replicas if one.process is not None and one.process.poll() is None]
    expected |= {pid for root in mine for pid in processes.tree(root)}
    carrying = {pid for state in house.states for pid in processes.carrying(state)}
    return [f"{pid} {processes.words(pid)[:160]}" for pid in sorted(carrying - expected)]


def unfinished(house: House) -> dict[str, int]:
    """Events and workflows that wait for somebody."""
    sqlite = house.database.startswith("sqlite")
    places = {
        "events": (f"sqlite:///{house.states[0] / 'inbox.db'}", "SELECT count(*) FROM inbox WHERE dispatched <> 1"),
        "workflows": (
            f"sqlite:///{house.states[0] / 'engine.db'}",
            f"SELECT count(*) FROM {'' if sqlite else 'dbos.'}workflow_status WHERE status IN ('PENDING', 'ENQUEUED')",
        ),
    }
    found = {}
    for name, (url, query) in places.items():
        engine = create_engine(url if sqlite else house.database)
        with engine.connect() as connection:
            found[name] = int(connection.execute(text(query)).scalar() or 0)
        engine.dispose()
    return found
