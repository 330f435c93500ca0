"""Validate: candidate and champion predict the same held-back rows without seeing the answers; we grade them."""

import json
from collections.abc import Mapping
from pathlib import Path

import pyarrow.parquet as pq

from lifecycle.drift import Profile
from lifecycle.executors import Job
from lifecycle.holdout import Holdout
from lifecycle.jobs import Predictions, predict_job, read_predictions
from lifecycle.project import Model
from lifecycle.runs import Run, Stage, StageRecord
from lifecycle.shop import Outcome, Shop, Trouble, job_name, part_of, requirements_of
from lifecycle.stages import packaging
from lifecycle.usual import as_times, keep_usual
from lifecycle.verdicts import Gate, Judgement, Margin, TargetSummary, judge, plot_facts
from lifecycle.windows import length_of

CHAMPION = "champion-v"


def jobs(shop: Shop, run: Run, attempt: int) -> Mapping[str, Job]:
    """One job that predicts with the candidate, one with the champion where there is one to compare with."""
    data, recipe = shop.holdout(run), shop.recipe(run)
    limits = shop.limits(recipe)
    candidate = predict_job(
        job_name(run, Stage.VALIDATE, "candidate", attempt),
        packaging.folder(shop, run),
        data.rows,
        requirements_of(shop.tree(run), recipe),
        limits,
        run.spec.trusted,
    )
    number = _against(shop, run)
    if number is None:
        return {"candidate": candidate}
    version = shop.registry.get(run.spec.project, run.spec.model, number)
    if version is None:
        raise Trouble(f"There is no version v{number} of {run.spec.model} to compare with.")
    shop.registry.verify(version)
    folder, part = shop.registry.folder(version), f"{CHAMPION}{number}"
    requirements = (folder / "requirements.txt").read_text(encoding="utf-8")
    name = job_name(run, Stage.VALIDATE, part, attempt)
    return {"candidate": candidate, part: predict_job(name, folder, data.holdout, requirements, limits, True)}


def finish(shop: Shop, run: Run, record: StageRecord) -> Outcome:
    """Grade the predictions, and keep the profile that monitoring will compare with."""
    data, rules = shop.holdout(run), shop.rules(run)
    all_rows = _predicted(shop, record, "candidate", data.train_rows + data.holdout_rows, rules)
    part = next((part for part in record.jobs if part.startswith(CHAMPION)), None)
    champion = _predicted(shop, record, part, data.holdout_rows, rules) if part else None
    judgement = _judged(run, rules, data, all_rows.tail(data.holdout_rows), champion)
    _keep_profile(packaging.folder(shop, run), data, all_rows, rules)
    result = {
        "judgement": json.loads(judgement.to_json()),
        "plots": _plots(run, rules, data, all_rows.tail(data.holdout_rows), champion),
        "champion": int(part.removeprefix(CHAMPION)) if part else None,
        "serving": {"load_seconds": all_rows.load_seconds, "p95_row_ms": all_rows.p95_row_ms},
    }
    return Outcome(judgement.sentence, result, judgement.verdict)


def gate_of(rules: Model, run: Run) -> Gate:
    """The gate of the model's rules, with what the asker changed for this run."""
    asked, options = rules.validate_, run.spec.options
    return Gate(
        metric=str(options.get("metric") or rules.metric),
        margin=Margin.parse(str(options.get("margin") or asked.margin)),
        require_improvement=asked.require_improvement,
        blocks=asked.blocks,
        slices=asked.slices,
    )


def _against(shop: Shop, run: Run) -> int | None:
    asked = run.spec.options.get("against")
    if asked is not None:
        return int(asked)
    champion = shop.registry.champion(run.spec.project, run.spec.model)
    return champion.number if champion else None


def _predicted(shop: Shop, record: StageRecord, part: str, rows: int, rules: Model) -> Predictions:
    return read_predictions(shop.executor.output(part_of(record.jobs, part)), rows, rules.task)


def _judged(run: Run, rules: Model, data: Holdout, candidate: Predictions, champion: Predictions | None) -> Judgement:
    labels = pq.read_table(data.labels).column(rules.target)
    features = pq.read_table(data.holdout)
    known = pq.read_table(data.train, columns=[rules.target]).column(rules.target)
    gate = gate_of(rules, run)
    return judge(
        labels,
        candidate.table,
        champion.table if champion else None,
        task=rules.task,
        gate=gate,
        features=features,
        groups=features.column(gate.blocks) if gate.blocks else None,
        baseline=TargetSummary.of(known, rules.task),
    )


def _plots(run: Run, rules: Model, data: Holdout, candidate: Predictions, champion: Predictions | None) -> object:
    """What the report draws besides the judgement's intervals."""
    features, gate = pq.read_table(data.holdout), gate_of(rules, run)
    return plot_facts(
        pq.read_table(data.labels).column(rules.target),
        candidate.table,
        champion.table if champion else None,
        task=rules.task,
        gate=gate,
        features=features,
        groups=features.column(gate.blocks) if gate.blocks else None,
    )


def _keep_profile(package: Path, data: Holdout, predictions: Predictions, rules: Model) -> None:
    rows = pq.read_table(data.rows)
    times = as_times(rows.column(rules.time)) if rules.time else None
    left_out = [name for name in (rules.time, *rules.monitor.ignore) if name in rows.column_names]
    table = rows.drop_columns(left_out).append_column("prediction", predictions.table.column("prediction"))
    reference = Profile.of(table)
    (package / "profile.bin").write_bytes(reference.to_bytes())
    if times is not None:
        keep_usual(package, reference, table, times, length_of(rules.monitor.window))
