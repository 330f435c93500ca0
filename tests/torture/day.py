"""One bad day from its first command to the reckoning."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import requests

from tests.stories.repository import MODEL, as_requests, rows
from tests.torture import leftovers, outage, trainings
from tests.torture.accounts import Evidence
from tests.torture.commands import Book
from tests.torture.harm import Harm
from tests.torture.house import House, house
from tests.torture.people import People
from tests.torture.post import Post
from tests.torture.weather import Weather

QUIET = 3.0  # seconds without a change that count as over


@dataclass(frozen=True, slots=True)
class Plan:
    """How bad the day is. `patience`: seconds for all to come to rest after the last command and kill."""

    commands: int = 500
    kills: int = 50
    database: str = ""
    replicas: int = 1
    seed: int = 1
    minutes: float = 30.0
    patience: float = 240.0


def torture(plan: Plan, say: Callable[[str], None] = lambda _: None, keep: Path | None = None) -> dict[str, Any]:
    """Live the day; the accounts as JSON, `held` tells whether every promise was kept."""
    with tempfile.TemporaryDirectory(prefix="torture-", ignore_cleanup_errors=True) as name:
        folder = keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        with house(folder, plan.database, plan.replicas) as home:
            assert home.wait_until_it_answers(), "the bot does not start at all"
            assert home.wait_until_it_has_swept(), "the bot does not sweep"
            return _day(plan, home, say)


def _day(plan: Plan, home: House, say: Callable[[str], None]) -> dict[str, Any]:
    begun, book = time.monotonic(), Book()
    post, weather = Post(home.stage), Weather(home.stage, plan.seed)
    people = People(home, book, plan.seed, plan.commands)
    harm = Harm(home, book, plan.seed, plan.kills, plan.commands)
    weather.begin()
    people.begin()
    harm.begin()
    until = begun + plan.minutes * 60
    while (people.busy() or harm.busy()) and time.monotonic() < until:
        time.sleep(1.0)
        say(f"{len(book.commands)} commands, {len(harm.blows)} kills, {harm.pauses} pauses, {weather.faults} faults")
    people.stop()
    harm.stop()
    weather.clear()
    acted = time.monotonic() - begun
    say("all is well from now on")
    rest = _rest(home, book, plan.patience)
    serving = _serve(home)
    tidied = _tidied(home)
    closed = [replica.close() for replica in home.replicas]
    post.close()
    found = _reckon(home, book, harm, post)
    found |= {
        "seconds": round(acted),
        "seconds_to_rest": rest,
        "seconds_to_tidiness": tidied,
        "impatient": book.impatient,
    }
    found |= {"faults": weather.faults, "serving": serving, "exit_codes": closed, "plan": asdict(plan)}
    found["plan"]["database"] = plan.database.split(":")[0] or "sqlite"
    return {"held": not broken(found), "broken": broken(found), **found}


def _rest(home: House, book: Book, patience: float) -> float | None:
    """Wait until everything is done and told, and stays so; the seconds that took, None when it never was."""
    begun, still = time.monotonic(), 0.0
    while time.monotonic() - begun < patience:
        evidence = Evidence(home)
        over = not (evidence.unended() or evidence.untold() or evidence.cardless() or evidence.lost(book.commands))
        evidence.close()
        over = over and not any(leftovers.unfinished(home).values())
        now = time.monotonic()
        still = (still or now) if over else 0.0
        if still and now - still >= QUIET:
            return round(still - begun, 1)
        time.sleep(0.5)
    return None


def _tidied(home: House, patience: float = 120.0) -> float:
    """Wait, within reason, until the bot has cleared away what was left of the killed; the seconds that took."""
    begun = time.monotonic()
    while leftovers.leaked(home.states) and time.monotonic() - begun < patience:
        time.sleep(0.5)
    return round(time.monotonic() - begun, 1)


def _serve(home: House) -> dict[str, Any]:
    """Whether every model in production answers, and as which version."""
    evidence = Evidence(home)
    wanted = evidence.champions()
    evidence.close()
    silent, answered = [], 0
    for project, number in wanted:
        url, limit, seen = f"{home.url}/models/{project}/{MODEL}/invocations", time.monotonic() + 60, ""
        while time.monotonic() < limit:
            try:
                answer = requests.post(url, json={"dataframe_records": as_requests(rows(1))}, timeout=30)
                seen = f"{answer.status_code} {answer.headers.get('X-Lifecycle-Version', '')} {answer.text[:100]}"
            except requests.RequestException as problem:
                seen = str(problem)
            if seen.startswith(f"200 v{number} "):
                answered += 1
                break
            time.sleep(0.5)
        else:
            silent.append(f"{project} should serve v{number}: {seen}")
    return {"answered": answered, "silent": silent}


def _reckon(home: House, book: Book, harm: Harm, post: Post) -> dict[str, Any]:
    evidence, commands = Evidence(home), book.commands
    heard = [one for one in commands if post.acknowledged(one) is not None]
    unheard = [one for one in commands if post.acknowledged(one) is None]
    moved = {run.id for run in evidence.runs if run.tenure > 1}
    struck = {name for blow in harm.blows for name in blow.jobs}
    found = {
        "commands": len(commands),
        "acknowledged": len(heard),
        "runs": len(evidence.runs),
        "kills": {"all": len(harm.blows), **harm.counts(), "pauses": harm.pauses},
        "lost": evidence.lost(heard),
        "missed": evidence.lost(unheard),
        "misdone": evidence.misdone(commands, struck),
        "twice": evidence.twice(),
        "unended": evidence.unended(),
        "untold": evidence.untold(),
        "cardless": evidence.cardless(),
        "trainings": trainings.count(trainings.trainings(home.states), harm.blows, moved),
        "drift": evidence.drifts(),
        "unfinished": leftovers.unfinished(home),
        "orphaned": leftovers.orphaned(home),
        "leaked": leftovers.leaked(home.states),
        "outage": outage.longest(evidence, commands, harm.blows, post.acknowledged),
    }
    evidence.close()
    return found


def broken(found: dict[str, Any]) -> list[str]:
    """The promises that were not kept, by the name of their count."""
    names = ("lost", "missed", "misdone", "twice", "unended", "untold", "cardless", "orphaned", "leaked")
    failed = [name for name in names if found[name]]
    drift = found["drift"]
    failed += ["trainings"] if found["trainings"]["twice"] else []
    failed += ["drift"] if not drift["episodes"] == drift["work_items"] == drift["issues"] else []
    failed += ["serving"] if found["serving"]["silent"] else []
    failed += ["unfinished"] if any(found["unfinished"].values()) else []
    failed += ["exit_codes"] if any(found["exit_codes"]) else []
    return failed
