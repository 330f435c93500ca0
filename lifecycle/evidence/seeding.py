"""How many candidates of one recipe are trained: several where training itself is a lottery, else one."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lifecycle.grading import gate_of
from lifecycle.project import AUTO, Model
from lifecycle.runs import Run, Value
from lifecycle.shop import Shop, full_parameters
from lifecycle.verdicts import Check, Outcome
from lifecycle.verdicts.words import number

SEVERAL = 3
VARIABLE = "LIFECYCLE_SEED"
SCRIPTS = (".py", ".sh", ".r", ".jl", ".ipynb")
MOST_SCRIPTS, MOST_BYTES = 500, 1 << 20
ONE_IS_KEPT = (
    "Only the metric that decides is their average: other metrics, slices, calibration and cost are those of the first "
    "one, which is kept."
)


@dataclass(frozen=True, slots=True)
class Seeds:
    """How many candidates, why, and what is known of their spread: a standard deviation beside the gate's margin."""

    count: int
    why: str
    spread: float | None = None
    margin: float | None = None


def seeds_of(shop: Shop, run: Run) -> Seeds:
    """As asked for by the command or the rules; `auto` looks at what earlier trainings of the same inputs showed."""
    rules = shop.rules(run)
    asked = run.spec.options.get("seeds") or rules.validate_.seeds
    if asked != AUTO:
        count = int(asked)
        return Seeds(count, f"{count} candidates were asked for." if count > 1 else "One candidate was asked for.")
    gate = gate_of(rules, run.spec.options)
    known = _champions_value(shop, run, gate.metric)
    if known is None:
        return Seeds(1, "One candidate: there is no champion to compare with.")
    spread = pooled_spread(shop.fingerprints.repeated(run.spec.project, run.spec.model, gate.metric, run.id))
    margin = gate.margin.absolute(known)
    if spread is None:
        return _unknown(shop, run, margin)
    words = f"trainings of the same inputs differ in {gate.metric} by {number(spread)} (standard deviation)"
    beside = f"than the margin of {number(margin)}"
    if spread > margin:
        return Seeds(SEVERAL, f"{SEVERAL} candidates: {words}, more {beside}.", spread, margin)
    return Seeds(1, f"One candidate: {words}, less {beside}.", spread, margin)


def _unknown(shop: Shop, run: Run, margin: float) -> Seeds:
    if takes_seed(shop.tree(run), shop.recipe(run), run):
        why = f"{SEVERAL} candidates: the training takes a seed, and how much hangs on it was not known yet."
        return Seeds(SEVERAL, why, None, margin)
    return Seeds(1, "One candidate: how far trainings of the same inputs differ is not known yet.", None, margin)


def _champions_value(shop: Shop, run: Run, metric: str) -> float | None:
    """The metric that the champion was given when it was validated: good enough to size a margin."""
    number_ = run.spec.options.get("against")
    project, model = run.spec.project, run.spec.model
    version = shop.registry.get(project, model, int(number_)) if number_ else shop.registry.champion(project, model)
    if version is None:
        return None
    value = version.metrics.get(metric, {}).get("candidate")
    return float(value) if isinstance(value, int | float) else 1.0


def pooled_spread(groups: Sequence[Sequence[float]]) -> float | None:
    """The standard deviation within groups; None where no group has two."""
    free = sum(len(group) - 1 for group in groups)
    if free < 1:
        return None
    return math.sqrt(sum(float(np.var(group)) * len(group) for group in groups) / free)


def takes_seed(tree: Path, recipe: Model, run: Run) -> bool:
    """Whether the training has a parameter `seed`, or a script that reads LIFECYCLE_SEED."""
    if "seed" in full_parameters(recipe, run):
        return True
    scripts = [path for path in sorted(tree.rglob("*")) if path.suffix.lower() in SCRIPTS and path.is_file()]
    small = (path for path in scripts[:MOST_SCRIPTS] if path.stat().st_size <= MOST_BYTES)
    return any(VARIABLE.encode() in path.read_bytes() for path in small)


def seeded(parameters: Mapping[str, Value], seed: int) -> dict[str, Value]:
    """The parameters for one of the candidates: a whole number called `seed` moves on with each."""
    given = parameters.get("seed")
    if seed and isinstance(given, int) and not isinstance(given, bool):
        return {**parameters, "seed": given + seed}
    return dict(parameters)


def seed_facts(seeds: Seeds, values: Sequence[float]) -> dict[str, Any]:
    """For a stage's result: `values` are the metric of each candidate, the first being the one that is kept."""
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else seeds.spread
    return {
        "count": len(values),
        "why": f"{seeds.why} {ONE_IS_KEPT}" if len(values) > 1 else seeds.why,
        "values": [float(value) for value in values],
        "spread": spread,
        "margin": seeds.margin,
    }


def seed_check(seeds: Seeds) -> tuple[Check, ...]:
    """For the judgement, where anything is known or was asked for."""
    if seeds.count == 1 and seeds.spread is None:
        return ()
    return (Check("seeds", Outcome.OK, seeds.why),)
