"""Grades answers: candidate and champion on the same held-back rows, by the gate of the model's rules, with checks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lifecycle.drift import Profile, compare
from lifecycle.holdout import Holdout
from lifecycle.jobs import Predictions
from lifecycle.project import AUTO, NONE, Model
from lifecycle.reference import left_out
from lifecycle.runs import Run, Value
from lifecycle.troubles import Trouble
from lifecycle.verdicts import (
    Check,
    Gate,
    Judgement,
    Limits,
    Margin,
    Outcome,
    TargetSummary,
    Verdict,
    data_checks,
    default_margin,
    judge,
    measure,
    plot_facts,
)
from lifecycle.verdicts.checks import Columns
from lifecycle.verdicts.dependence import Blocks, declared, found
from lifecycle.verdicts.quality import quality_checks
from lifecycle.verdicts.rows import align


@dataclass(frozen=True, slots=True)
class Sheets:
    """What is graded: answers on the held-back rows, in their order; `seeds` are further candidates of the recipe.

    refused: why the champion has no answers to these rows, though there is one.
    """

    candidate: Predictions
    champion: Predictions | None = None
    seeds: Sequence[Predictions] = ()
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """The data as tables: training rows with the target, held-back features, held-back target."""

    train: pa.Table
    features: pa.Table
    labels: pa.ChunkedArray

    @classmethod
    def read(cls, data: Holdout, target: str) -> "Known":
        """From the files of the split."""
        return cls(pq.read_table(data.train), pq.read_table(data.holdout), pq.read_table(data.labels).column(target))


def gate_of(rules: Model, options: Mapping[str, Value]) -> Gate:
    """The gate of the model's rules, with what the asker changed for this run.

    Margin and limits are those of the rules' own metric; another metric has its usual margin and no limits.
    """
    asked = rules.validate_
    metric = str(options.get("metric") or rules.metric)
    own = metric == rules.metric
    margin = str(options.get("margin") or (asked.margin if own else ""))
    return Gate(
        metric=metric,
        margin=Margin.parse(margin) if margin else default_margin(metric),
        require_improvement=asked.require_improvement,
        limits=Limits(asked.at_least, asked.at_most) if own else Limits(),
        slices=asked.slices,
        find_slices=asked.find_slices,
        beat_baseline=asked.baseline,
        positive=asked.positive,
    )


@dataclass(frozen=True, slots=True)
class Grade:
    """What came out: the judgement, the blocks of rows that it counts as one, the metric of each candidate (the one
    that is kept first), and what a report draws."""

    judgement: Judgement
    blocks: Blocks | None
    values: Sequence[float]
    plots: Mapping[str, Any]


def grade(rules: Model, run: Run, known: Known, sheets: Sheets, checks: Sequence[Check]) -> Grade:
    """Judge the candidate. Raises Trouble where it cannot be judged."""
    gate = gate_of(rules, run.spec.options)
    answers = (known.labels, sheets.candidate.table, sheets.champion.table if sheets.champion else None)
    try:
        blocks = _blocks(rules, gate, known, sheets)
        gate = replace(gate, blocks=blocks.column if blocks else None)
        groups = blocks.codes if blocks else None
        judgement = judge(
            *answers,
            task=rules.task,
            gate=gate,
            features=known.features,
            groups=groups,
            baseline=TargetSummary.of(known.train.column(rules.target), rules.task),
            checks=(*_about_blocks(blocks), *checks),
            seeds=[one.table for one in sheets.seeds],
        )
        values = [_value(known, one, gate) for one in (sheets.candidate, *sheets.seeds)]
        plots = plot_facts(*answers, task=rules.task, gate=gate, features=known.features, groups=groups)
    except ValueError as wrong:
        raise Trouble(str(wrong)) from None
    return Grade(_not_compared(judgement, sheets.refused), blocks, values, plots)


def _not_compared(judgement: Judgement, why: str) -> Judgement:
    """Nobody knows whether a candidate is as good as a champion that cannot be asked; a person decides."""
    if not why:
        return judgement
    verdict = Verdict.INCONCLUSIVE if judgement.verdict is Verdict.PASS else judgement.verdict
    said = f"The version in production cannot be asked on this data, so nothing was compared: {why}."
    check = Check("champion", Outcome.WARN, said)
    sentence = f"{said} {judgement.sentence}"
    return replace(judgement, verdict=verdict, sentence=sentence, checks=(*judgement.checks, check))


def _value(known: Known, answers: Predictions, gate: Gate) -> float:
    return measure(known.labels, answers.table, gate.metric, positive=gate.positive).estimate


def _blocks(rules: Model, gate: Gate, known: Known, sheets: Sheets) -> Blocks | None:
    asked, features = rules.validate_.blocks, known.features
    if asked == NONE:  # rows are independent, whatever they look like
        return None
    champion = sheets.champion.table if sheets.champion else None
    rows = align(known.labels, sheets.candidate.table, champion, rules.task, gate.positive)
    if asked != AUTO:
        if asked not in features.schema.names:
            raise Trouble(f'There is no column "{asked}" that says which rows belong together (`blocks`).')
        return declared(asked, features.column(asked), rows)
    names = [name for name in (rules.time, rules.entity) if name is not None and name in features.schema.names]
    return found({name: features.column(name) for name in names}, rows)


def _about_blocks(blocks: Blocks | None) -> tuple[Check, ...]:
    if blocks is None:
        return ()
    sentence = f"Rows of the same {blocks.by} count as one: {blocks.groups:,} groups"
    if blocks.p is not None:
        sentence = f"Rows of the same {blocks.by} err together, so each of {blocks.groups:,} groups counts as one"
    return (Check("dependence", Outcome.OK, f"{sentence}."),)


@dataclass(frozen=True, slots=True)
class Before:
    """The champion's data, as its version's profiles keep it: of the features, and of the target where it is kept."""

    name: str
    features: Profile
    target: Profile | None


def data_findings(rules: Model, known: Known, before: Before | None) -> tuple[Check, ...]:
    """What is to be said of the data: the split, leakage, and how it differs in kind from the champion's.

    before: None where there is no champion, or where it is the same data.
    """
    held = known.features.append_column(rules.target, known.labels)
    columns = Columns(rules.target, rules.time, rules.entity)
    own = Profile.of(known.train.drop_columns([rules.target]))
    here = Profile.of(known.features, like=own)
    checks = [*data_checks(known.train, held, columns, rules.task)]
    checks += quality_checks(own, here, "the held-back rows", "the training rows")[1:]
    if before is not None:
        checks += _against(rules, known, before)
    return tuple(checks)


def _against(rules: Model, known: Known, before: Before) -> list[Check]:
    features = _features_only(before.features)
    theirs = Profile.of(_like(known, before.features, rules), like=features)
    found_ = [*quality_checks(features, theirs, "the data", f"{before.name}'s data")]
    if before.target is not None:
        report = compare(before.target, Profile.of(target_table(rules, known), like=before.target))
        moved = f"The target moved: {report.moved[0].reason}" if report.moved else ""
        fine = f"{rules.target} is spread as in {before.name}'s data."
        found_.append(Check("target shift", Outcome.WARN if moved else Outcome.OK, moved or fine))
    return [Check(f"{one.name} since {before.name}", one.outcome, one.sentence) for one in found_]


def target_table(rules: Model, known: Known) -> pa.Table:
    """The target of all rows; classes as text, whatever they are."""
    column = pa.chunked_array([*known.train.column(rules.target).chunks, *known.labels.chunks], type=known.labels.type)
    return pa.table({rules.target: column.cast(pa.string()) if rules.task == "classification" else column})


def _like(known: Known, champion: Profile, rules: Model) -> pa.Table:
    """All rows' features, without what a profile leaves out."""
    whole = pa.concat_tables([known.train.select(known.features.schema.names), known.features])
    dropped = [name for name in left_out(rules, whole.schema.names) if name not in champion.columns]
    return whole.drop_columns(dropped)


def _features_only(profile: Profile) -> Profile:
    columns = {name: one for name, one in profile.columns.items() if one.role == "feature"}
    return Profile(profile.rows, columns, ())


def block_facts(blocks: Blocks | None) -> dict[str, Any] | None:
    """For a stage's result."""
    if blocks is None:
        return None
    return {"by": blocks.by, "groups": blocks.groups, "effect": round(blocks.effect, 3), "p": blocks.p}
