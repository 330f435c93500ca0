"""The story that the pages' tests look at: a model from its first version to its drift, and one run in every state."""

from collections.abc import Sequence

from lifecycle import Filter, Kind, Run, Stage, State
from lifecycle.verdicts import Verdict
from tests.web.findings import judgement
from tests.web.house import HOSTILE, MODEL, TRAINING_LOG, House


def furnish(house: House) -> Sequence[Run]:
    """The story of the demo, and one run in every other state; all runs, oldest first."""
    day = 1440.0
    first_judged = judgement(old=None, new=45.1)
    first = house.trained(40 * day, first_judged)
    v1 = house.version(first, first_judged, 40 * day, None)
    house.conclude(first, State.SUCCEEDED, 40 * day, verdict="PASS", version=1)
    house.links.add("github:octo/bikes#12", "boards:Fabrikam/345", "planned", house.time)
    house.promote(v1, 39 * day, "ben")
    worse = house.trained(
        30 * day, judgement(Verdict.FAIL, 45.1, 55.6), Kind.VALIDATE, ref="github:octo/bikes#14", asked_by="cho"
    )
    house.conclude(worse, State.SUCCEEDED, 30 * day, verdict="FAIL")
    better_judged = judgement(Verdict.PASS, 45.1, 38.2)
    params = {"max_depth": 6, "learning_rate": 0.05, "early_stopping": True, "loss": "absolute_error"}
    better = house.trained(20 * day, better_judged, params=params)
    v2 = house.version(better, better_judged, 20 * day, "v1")
    house.conclude(better, State.SUCCEEDED, 20 * day, verdict="PASS", version=2)
    house.promote(v2, 19 * day, "cho")
    windows = [
        house.watch(m, w, 2 if m > 2 else 1, (7 - m) * day) for m, w in enumerate((0.012, 0.034, 0.14, 0.92, 2.4), 1)
    ]
    episode = house.watching.open(windows[3], "drift")
    house.links.add(f"episode:{episode.id}", "boards:Fabrikam/390", "tracked", house.time)
    house.links.add(f"episode:{episode.id}", "github:octo/bikes#31", "tracked", house.time)
    house.links.add(f"episode:{episode.id}", f"run:{windows[3].run}", "seen by", house.time)
    house.shares = {f"octo.bikes.{MODEL}.v2": 90, f"octo.bikes.{MODEL}.v1": 10}
    _others(house)
    return list(reversed(house.store.find(Filter(), limit=100)))


def _others(house: House) -> None:
    """Runs that failed, were lost, wait, are cancelled, and one that would like to be markup."""
    failed = house.begin(house.ask(Kind.TRAIN, 300, key="failed"), Stage.TRAIN, 299, fit="run-f")
    said = "train.py ended with exit code 1: ValueError: Input contains NaN, in column 'windspeed'."
    house.conclude(house.fail(failed, Stage.TRAIN, 297, said), State.FAILED, 297, said)
    house.logs[(failed.id, "train")] = (
        b'Traceback (most recent call last):\n  File "train.py", line 31\nValueError: Input contains NaN\n'
    )
    unsure = house.trained(
        200, judgement(Verdict.INCONCLUSIVE, 45.1, 44.9), Kind.VALIDATE, key="unsure", ref="github:octo/bikes#15"
    )
    house.conclude(unsure, State.SUCCEEDED, 200, verdict="INCONCLUSIVE")
    _hostile(house)
    stopped = house.begin(house.ask(Kind.TRAIN, 90, key="stopped"), Stage.TRAIN, 89, fit="run-s")
    house.store.cancel(stopped.id, "ann")
    house.conclude(stopped, State.CANCELLED, 88, "Cancelled by ann.")
    _unfinished(house)


def _hostile(house: House) -> None:
    hostile = house.ask(
        Kind.TRAIN,
        150,
        key="hostile",
        model="x" * 63,
        asked_by=HOSTILE,
        params={HOSTILE: HOSTILE, "long": "A1 " * 3400},
    )
    hostile = house.begin(hostile, Stage.TRAIN, 149, fit="run-h")
    house.conclude(house.fail(hostile, Stage.TRAIN, 148, HOSTILE), State.FAILED, 148, HOSTILE)
    house.logs[(hostile.id, "train")] = HOSTILE.encode() + b"\n\x1b]0;title\x07\x00\x9b31m" + b"z" * 5000
    house.links.add(f"run:{hostile.id}", "elsewhere:" + HOSTILE, "<b>how</b>", house.time)


def _unfinished(house: House) -> None:
    running = house.begin(
        house.ask(Kind.RETRAIN, 4, key="running", params={"max_depth": 8}), Stage.TRAIN, 3.5, 2, fit="run-r"
    )
    house.logs[(running.id, "train")] = TRAINING_LOG
    for number in range(2):
        house.ask(
            Kind.VALIDATE, 2 - number, key=f"waiting-{number}", ref=f"github:octo/bikes#{16 + number}", asked_by="dora"
        )
    moving = house.ask(Kind.TRAIN, 1.5, key="other", model="churn-score", project="octo/customers", trusted=False)
    house.begin(moving, Stage.TRAIN, 1.4, fit="run-m")
