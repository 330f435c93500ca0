"""Train: the repository's own command on the rows that it may see."""

import json
import shlex
from collections.abc import Mapping

from lifecycle.evidence.seeding import VARIABLE, seeded, seeds_of
from lifecycle.executors import Job
from lifecycle.holdout import Holdout
from lifecycle.jobs import collect
from lifecycle.project import AUTO, FILE, NONE, Model
from lifecycle.runs import Run, Stage, StageRecord
from lifecycle.shop import Outcome, Shop, Trouble, full_parameters, job_name, part_of, requirements_of
from lifecycle.stages.packaging import SEED

FIT = "fit"
MODELS = ("MLmodel", "model.skops", "model.joblib")


def jobs(shop: Shop, run: Run, attempt: int) -> Mapping[str, Job]:
    """The job that fits the model, and one for each further seed where training is a lottery."""
    _check_rules(shop.rules(run), shop.holdout(run))
    count = seeds_of(shop, run).count
    parts = {FIT: 0} | {f"{SEED}{seed}": seed for seed in range(1, count)}
    return {part: _job(shop, run, part, seed, attempt) for part, seed in parts.items()}


def _check_rules(rules: Model, data: Holdout) -> None:
    """What validation would only find out when training has cost its time. Raises Trouble."""
    asked = rules.validate_
    named = {"slices": asked.slices, "blocks": () if asked.blocks in (AUTO, NONE) else (asked.blocks,)}
    for key, columns in named.items():
        for column in columns:
            if column not in data.columns:
                known = ", ".join(list(data.columns)[:20])
                raise Trouble(f"`{key}` in {FILE} names {column}, and the data has no such column; it has {known}.")


def _job(shop: Shop, run: Run, part: str, seed: int, attempt: int) -> Job:
    tree, recipe, data = shop.tree(run), shop.recipe(run), shop.holdout(run)
    parameters = seeded(full_parameters(recipe, run), seed)
    return Job(
        name=job_name(run, Stage.TRAIN, part, attempt),
        command=tuple(shlex.split(recipe.train)),
        tree=tree,
        requirements=requirements_of(tree, recipe),
        inputs={"LIFECYCLE_DATA": data.train},
        values={"LIFECYCLE_PARAMS": json.dumps(parameters, sort_keys=True), VARIABLE: str(seed)},
        limits=shop.limits(recipe),
        trusted=run.spec.trusted,
    )


def finish(shop: Shop, run: Run, record: StageRecord) -> Outcome:
    """What training left behind. Raises Trouble when that is no model."""
    name = part_of(record.jobs, FIT)
    used, data = shop.executor.status(name).used, shop.holdout(run)
    for one in record.jobs.values():
        files = {str(path) for path in collect(shop.executor.output(one))}
        if not files & set(MODELS):
            known = ", ".join(MODELS)
            raise Trouble(f"Training ended well but wrote no model: LIFECYCLE_OUTPUT holds none of {known}.")
    facts = {
        "data_version": data.data_version,
        "rows": data.train_rows,
        "held_back": data.holdout_rows,
        "trained_on": data.train_span,
        "held_back_span": data.holdout_span,
        "seconds": round(used.seconds, 2),
        "memory_mb": round(used.memory_mb),
    }
    seeds = f", {len(record.jobs)} seeds" if len(record.jobs) > 1 else ""
    return Outcome(f"{data.train_rows:,} rows, {used.seconds:.1f} s, {used.memory_mb:,.0f} MB{seeds}", facts)
