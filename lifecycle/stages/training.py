"""Train: the repository's own command on the rows that it may see."""

import shlex
from collections.abc import Mapping

from lifecycle.executors import Job
from lifecycle.jobs import collect
from lifecycle.runs import Run, Stage, StageRecord
from lifecycle.shop import Outcome, Shop, Trouble, job_name, params_json, part_of, requirements_of

MODELS = ("MLmodel", "model.skops", "model.joblib")


def jobs(shop: Shop, run: Run, attempt: int) -> Mapping[str, Job]:
    """The one job that fits the model."""
    tree, recipe, data = shop.tree(run), shop.recipe(run), shop.holdout(run)
    job = Job(
        name=job_name(run, Stage.TRAIN, "fit", attempt),
        command=tuple(shlex.split(recipe.train)),
        tree=tree,
        requirements=requirements_of(tree, recipe),
        inputs={"LIFECYCLE_DATA": data.train},
        values={"LIFECYCLE_PARAMS": params_json(recipe, run)},
        limits=shop.limits(recipe),
        trusted=run.spec.trusted,
    )
    return {"fit": job}


def finish(shop: Shop, run: Run, record: StageRecord) -> Outcome:
    """What training left behind. Raises Trouble when that is no model."""
    name = part_of(record.jobs, "fit")
    used, data = shop.executor.status(name).used, shop.holdout(run)
    files = {str(path) for path in collect(shop.executor.output(name))}
    if not files & set(MODELS):
        raise Trouble(f"Training ended well but wrote no model: LIFECYCLE_OUTPUT holds none of {', '.join(MODELS)}.")
    facts = {
        "data_version": data.data_version,
        "rows": data.train_rows,
        "held_back": data.holdout_rows,
        "trained_on": data.train_span,
        "held_back_span": data.holdout_span,
        "seconds": round(used.seconds, 2),
        "memory_mb": round(used.memory_mb),
    }
    return Outcome(f"{data.train_rows:,} rows, {used.seconds:.1f} s, {used.memory_mb:,.0f} MB", facts)
