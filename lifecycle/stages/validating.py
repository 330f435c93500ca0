"""Validate: candidate and champion predict the same held-back rows without seeing the answers; we grade them."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lifecycle.drift import Profile
from lifecycle.evidence.costs import cost_facts, cost_of
from lifecycle.evidence.lineage import baseline_facts, changed_facts
from lifecycle.evidence.repeats import (
    answers_digest,
    compared,
    files_digest,
    input_digests,
    print_of,
    repeat_facts,
)
from lifecycle.evidence.seeding import seed_check, seed_facts, seeds_of
from lifecycle.executors import Job
from lifecycle.fingerprints import Fingerprint
from lifecycle.grading import Before, Grade, Known, Sheets, block_facts, data_findings, grade, target_table
from lifecycle.holdout import Holdout
from lifecycle.jobs import Predictions, predict_job, read_predictions, refusal
from lifecycle.knownrows import known_file, shared_name
from lifecycle.project import Model
from lifecycle.reference import PROFILE, keep_reference
from lifecycle.registry import Version
from lifecycle.runs import Run, Stage, StageRecord
from lifecycle.shop import Outcome, Shop, Trouble, job_name, part_of, requirements_of, serving_name
from lifecycle.stages import packaging
from lifecycle.verdicts import Check, cost_check

CHAMPION = "champion-v"
TARGET = "target.bin"


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
        data.sample,
    )
    mine = {"candidate": candidate, **_seed_jobs(shop, run, attempt, data)}
    number = _against(shop, run)
    if number is None:
        return mine
    version = _version(shop, run, number)
    shop.registry.verify(version)
    folder, part = shop.registry.folder(version), f"{CHAMPION}{number}"
    requirements = (folder / "requirements.txt").read_text(encoding="utf-8")
    name = job_name(run, Stage.VALIDATE, part, attempt)
    champion = predict_job(name, folder, data.holdout, requirements, limits, True, data.sample, may_refuse=True)
    return {**mine, part: champion}


def _seed_jobs(shop: Shop, run: Run, attempt: int, data: Holdout) -> dict[str, Job]:
    recipe = shop.recipe(run)
    requirements, limits = requirements_of(shop.tree(run), recipe), shop.limits(recipe)
    found = {}
    for part, seed in packaging.seed_parts(run).items():
        folder, name = packaging.folder(shop, run, seed), job_name(run, Stage.VALIDATE, part, attempt)
        found[part] = predict_job(name, folder, data.holdout, requirements, limits, run.spec.trusted, data.sample)
    return found


def finish(shop: Shop, run: Run, record: StageRecord) -> Outcome:
    """Grade the predictions, and keep the profile that monitoring will compare with."""
    data, rules = shop.holdout(run), shop.rules(run)
    all_rows = _predicted(shop, record, "candidate", data.train_rows + data.holdout_rows, rules)
    part = next((part for part in record.jobs if part.startswith(CHAMPION)), None)
    refused = refusal(shop.executor.output(part_of(record.jobs, part))) if part else ""
    champion = _predicted(shop, record, part, data.holdout_rows, rules) if part and not refused else None
    version = _version(shop, run, int(part.removeprefix(CHAMPION))) if part else None
    seeds = [_predicted(shop, record, part, data.holdout_rows, rules) for part in packaging.seed_parts(run)]
    sheets = Sheets(all_rows.tail(data.holdout_rows), champion, seeds, refused)
    result, note = _graded(shop, run, data, sheets, version)
    keep_reference(packaging.folder(shop, run), _known(shop, run), data, all_rows, rules)
    if shop.registry.artifacts is not None and _known(shop, run).is_file():
        name = shared_name(serving_name(run.spec.project, run.spec.model), run.id)
        shop.registry.artifacts.put(_known(shop, run), name)
    return Outcome(note, result, result["judgement"]["verdict"])


def _graded(shop: Shop, run: Run, data: Holdout, sheets: Sheets, version: Version | None) -> tuple[dict[str, Any], str]:
    """Everything that was found, as plain data, and the sentence that says it."""
    rules, known = shop.rules(run), Known.read(data, shop.rules(run).target)
    packaging.keep_packages(packaging.folder(shop, run), sheets.candidate.packages)
    target = Profile.of(target_table(rules, known), prediction=())
    (packaging.folder(shop, run) / TARGET).write_bytes(target.to_bytes())
    own = cost_of(packaging.folder(shop, run), sheets.candidate)
    theirs = cost_of(shop.registry.folder(version), sheets.champion) if version and sheets.champion else None
    digests = input_digests(shop, run, data, sheets.candidate)
    mine = print_of(shop, run, digests, sheets.candidate.table)
    repeat, seeds = compared(shop, mine, sheets.candidate.table), seeds_of(shop, run)
    checks = [*_data_checks(shop, rules, data, known, version), cost_check(own, theirs)]
    found = grade(rules, run, known, sheets, [*checks, *seed_check(seeds), *repeat.check()])
    _note(shop, run, mine, sheets, found)
    result = {
        "judgement": json.loads(found.judgement.to_json()),
        "champion": version.number if version else None,
        "plots": found.plots,
        "blocks": block_facts(found.blocks),
        "costs": cost_facts(own, theirs),
        "seeds": seed_facts(seeds, found.values),
        "reproducible": repeat_facts(repeat, digests, mine),
        "baseline": baseline_facts(shop, version) if version else None,
        "changed": changed_facts(shop, run, rules, data, version) if version else None,
    }
    return result, found.judgement.sentence


def _note(shop: Shop, run: Run, mine: Fingerprint, sheets: Sheets, found: Grade) -> None:
    """Remember what each candidate came out as."""
    metric = found.judgement.primary.metric
    shop.fingerprints.note(replace(mine, metric=metric, value=found.values[0]))
    seeds = packaging.seed_parts(run).values()
    for seed, answers, value in zip(seeds, sheets.seeds, found.values[1:], strict=True):
        files, out = files_digest(packaging.folder(shop, run, seed)), answers_digest(answers.table)
        shop.fingerprints.note(replace(mine, seed=seed, files=files, answers=out, metric=metric, value=value))


def _data_checks(shop: Shop, rules: Model, data: Holdout, known: Known, version: Version | None) -> tuple[Check, ...]:
    """The data, held against the champion's where that is other data."""
    if version is None:
        return data_findings(rules, known, None)
    same = shop.registry.manifest(version).get("training", {}).get("data_version") == data.data_version
    features, target = (_stored(shop.registry.folder(version) / name) for name in (PROFILE, TARGET))
    return data_findings(rules, known, None if same or features is None else Before(version.name, features, target))


def _stored(path: Path) -> Profile | None:
    return Profile.from_bytes(path.read_bytes()) if path.is_file() else None


def _known(shop: Shop, run: Run) -> Path:
    return known_file(shop.root, serving_name(run.spec.project, run.spec.model), run.id)


def _against(shop: Shop, run: Run) -> int | None:
    asked = run.spec.options.get("against")
    if asked is not None:
        return int(asked)
    champion = shop.registry.champion(run.spec.project, run.spec.model)
    return champion.number if champion else None


def _version(shop: Shop, run: Run, number: int) -> Version:
    version = shop.registry.get(run.spec.project, run.spec.model, number)
    if version is None:
        raise Trouble(f"There is no version v{number} of {run.spec.model} to compare with.")
    return version


def _predicted(shop: Shop, record: StageRecord, part: str, rows: int, rules: Model) -> Predictions:
    return read_predictions(shop.executor.output(part_of(record.jobs, part)), rows, rules.task)
