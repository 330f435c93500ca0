"""A validation report as a document: what was judged, the judgement, and everything it rests on. The schema is
docs/report.schema.json."""

from collections.abc import Mapping
from typing import Any

from lifecycle.runs import Run, Stage

SCHEMA = 1
PARTS = ("plots", "blocks", "costs", "seeds", "reproducible", "baseline", "changed")


def report_document(run: Run) -> dict[str, Any] | None:
    """The report of a run that was validated, as plain data for JSON; None for one that was not."""
    train, validate = run.stage(Stage.TRAIN), run.stage(Stage.VALIDATE)
    found: Mapping[str, Any] = validate.result if validate else {}
    if "judgement" not in found:
        return None
    judgement = found["judgement"]
    return {
        "schema": SCHEMA,
        "project": run.spec.project,
        "model": run.spec.model,
        "run": run.id,
        "kind": str(run.spec.kind),
        "commit": run.spec.commit,
        "asked_by": run.spec.asked_by,
        "verdict": judgement["verdict"],
        "sentence": judgement["sentence"],
        "champion": found.get("champion"),
        "training": dict(train.result) if train else {},
        "judgement": judgement,
        **{name: found.get(name) for name in PARTS},
    }
