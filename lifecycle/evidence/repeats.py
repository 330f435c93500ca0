"""Does the same training give the same answers again? What went in and came out, as digests that runs can compare."""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lifecycle.datafiles import data_files
from lifecycle.evidence.costs import model_files
from lifecycle.fingerprints import Fingerprint
from lifecycle.holdout import Holdout
from lifecycle.jobs import Predictions
from lifecycle.project import FILE
from lifecycle.registry import sha256
from lifecycle.runs import Run
from lifecycle.shop import Shop, full_parameters
from lifecycle.stages import packaging
from lifecycle.verdicts import Check, Outcome

TOLERANCE = 1e-6  # of an answer, or of its size where that is above 1
ANSWERS = "answers.parquet"
WORDS = (".md", ".rst")  # files that no training reads


@dataclass(frozen=True, slots=True)
class Repeat:
    """What comparing with an earlier run of the same inputs found; `run` is that run's number, None without any.

    same: None where there was nothing to compare. largest: difference of an answer, None where it is not known;
    rows: how many answers differ by more than the tolerance.
    """

    run: int | None = None
    same: bool | None = None
    same_files: bool | None = None
    largest: float | None = None
    rows: int | None = None

    @property
    def sentence(self) -> str:
        """For people."""
        if self.run is None:
            return "No earlier run had the same data, code, parameters and packages, so nothing says if it repeats."
        if self.same:
            return f"Run {self.run} had the same data, code, parameters and packages, and gave the same answers."
        much = "" if self.largest is None else f": up to {self.largest:.3g} apart, on {self.rows:,} held-back rows"
        return (
            f"Training does not repeat: run {self.run} had the same data, code, parameters and packages and gave other "
            f"answers{much}. A fixed seed would help."
        )

    def check(self) -> tuple[Check, ...]:
        """For the judgement; nothing where nothing could be compared."""
        if self.same is None:
            return ()
        return (Check("repeatability", Outcome.OK if self.same else Outcome.WARN, self.sentence),)


def print_of(shop: Shop, run: Run, digests: Mapping[str, str], answers: pa.Table) -> Fingerprint:
    """The run's fingerprint, its metric not known yet; its answers are kept, so that a later run can look at them."""
    folder = packaging.folder(shop, run)
    pq.write_table(answers, shop.folder(run) / ANSWERS)
    return Fingerprint(
        run=run.id,
        seed=0,
        project=run.spec.project,
        model=run.spec.model,
        inputs=digest_of(dict(digests)),
        files=files_digest(folder),
        answers=answers_digest(answers),
        metric="",
        value=0.0,
    )


def repeat_facts(repeat: Repeat, digests: Mapping[str, str], mine: Fingerprint) -> dict[str, Any]:
    """For a stage's result: what was found, and the digests by which it was found."""
    verdict = {None: "unknown", True: "same", False: "differs"}[repeat.same]
    return {
        "verdict": verdict,
        "compared_with": repeat.run,
        "largest_difference": repeat.largest,
        "rows_differing": repeat.rows,
        "same_files": repeat.same_files,
        "sentence": repeat.sentence,
        "inputs": mine.inputs,
        "digests": {**digests, "model": mine.files, "answers": mine.answers},
    }


def input_digests(shop: Shop, run: Run, data: Holdout, answered: Predictions) -> dict[str, str]:
    """sha256 of everything that a training's outcome may depend on."""
    recipe, rules = shop.recipe(run), shop.rules(run)
    # Data, target and split are the rules', for the rows were split by them.
    task = [rules.task, rules.target, rules.time, rules.entity, rules.validate_.holdout, recipe.train]
    python = [platform.python_version(), platform.system(), platform.machine()]
    packages = dict(answered.packages) or (packaging.folder(shop, run) / "requirements.txt").read_text("utf-8")
    return {
        "data": data.data_version,
        "code": code_digest(shop.tree(run), rules.data),
        "task": digest_of(task),
        "parameters": digest_of(full_parameters(recipe, run)),
        "environment": digest_of([python, packages]),
    }


def code_digest(tree: Path, data: str) -> str:
    """sha256 of a checkout's files but for the data, lifecycle.yaml and what is written for people only."""
    left_out: set[Path] = set()
    if "://" not in data:
        with data_files(tree, data) as files:
            left_out = {path.resolve() for path in files}
    found = []
    for path in sorted(tree.rglob("*")):
        name = str(path.relative_to(tree))
        if path.is_symlink():
            found.append([name, str(path.readlink())])
        elif path.is_file() and name != FILE and path.suffix.lower() not in WORDS and path.resolve() not in left_out:
            found.append([name, sha256(path)])
    return digest_of(found)


def digest_of(plain: object) -> str:
    """sha256 of plain data."""
    return hashlib.sha256(json.dumps(plain, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def files_digest(folder: Path) -> str:
    """sha256 over the files that training wrote."""
    return digest_of([[str(path.relative_to(folder)), sha256(path)] for path in model_files(folder)])


def answers_digest(table: pa.Table) -> str:
    """sha256 over a model's answers, column by column."""
    whole = hashlib.sha256()
    for name in table.column_names:
        whole.update(json.dumps([name, table.num_rows]).encode())
        whole.update(json.dumps(table.column(name).to_pylist()).encode())
    return whole.hexdigest()


def compared(shop: Shop, mine: Fingerprint, answers: pa.Table) -> Repeat:
    """Hold the run's answers against those of the newest earlier run of the same inputs and seed."""
    before = shop.fingerprints.same_inputs(mine)
    if before is None:
        return Repeat()
    same_files = before.files == mine.files
    if before.answers == mine.answers:
        return Repeat(before.run, True, same_files, 0.0, 0)
    kept = shop.root / "runs" / str(before.run) / ANSWERS
    if not kept.is_file():
        return Repeat(before.run, False, same_files)
    largest, rows = apart(answers, pq.read_table(kept))
    return Repeat(before.run, rows == 0, same_files, largest, rows)


def apart(one: pa.Table, other: pa.Table) -> tuple[float, int]:
    """The largest difference of two models' answers on the same rows (1 for another class), and rows that differ."""
    if one.column_names != other.column_names or one.num_rows != other.num_rows:
        return 1.0, max(one.num_rows, other.num_rows)
    largest, differing = 0.0, np.zeros(one.num_rows, dtype=bool)
    for name in one.column_names:
        first, second = one.column(name), other.column(name)
        if pa.types.is_floating(first.type) and pa.types.is_floating(second.type):
            values = first.to_numpy(), second.to_numpy()
            gap = np.abs(values[0] - values[1])
            differing |= gap > TOLERANCE * np.maximum(1.0, np.abs(values[1]))
        else:
            gap = np.array([a != b for a, b in zip(first.to_pylist(), second.to_pylist(), strict=True)], dtype=float)
            differing |= gap > 0
        largest = max(largest, float(gap.max(initial=0.0)))
    return largest, int(differing.sum())
