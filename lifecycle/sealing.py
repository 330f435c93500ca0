"""Turns a finished run's package into a version: the manifest says everything that it was made from."""

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lifecycle import modelcard
from lifecycle.modelcard import model_card
from lifecycle.registry import Version, sha256
from lifecycle.reports import report_document
from lifecycle.runs import Run, Stage
from lifecycle.shop import Shop, full_parameters
from lifecycle.stages import packaging
from lifecycle.stages.packaging import PACKAGES, packages_of


def seal(shop: Shop, run: Run, verdict: str) -> Version:
    """The run's version, registered; the same run makes the same version, however often it is sealed."""
    known = shop.registry.of_run(run.id)
    if known is not None:
        return known
    package = packaging.folder(shop, run)
    facts = manifest_facts(shop, run, verdict)
    _describe(package, run, facts)
    digest = shop.registry.seal(package, facts)
    version = Version(
        project=run.spec.project,
        model=run.spec.model,
        number=0,
        digest=digest,
        run=run.id,
        commit=run.spec.commit,
        created=shop.now(),
        verdict=verdict,
        metrics=facts["metrics"],
    )
    return shop.registry.add(version, package, run)


def _describe(package: Path, run: Run, facts: Mapping[str, Any]) -> None:
    """The report and the model card, beside the model."""
    report = report_document(run)
    if report is None:
        return
    (package / "report.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    columns = json.loads((package / "signature.json").read_text(encoding="utf-8"))["columns"]
    card = model_card(report, facts, {one["name"]: one["type"] for one in columns})
    (package / modelcard.FILE).write_text(card, encoding="utf-8")


def manifest_facts(shop: Shop, run: Run, verdict: str) -> dict[str, Any]:
    """What a version was made from: commit, data, parameters, environment; how good it is; whom it succeeds."""
    train, validate = run.stage(Stage.TRAIN), run.stage(Stage.VALIDATE)
    judged = dict(validate.result) if validate else {}
    report = judged.get("judgement", {})
    parent = shop.registry.champion(run.spec.project, run.spec.model)
    package, recipe, rules = packaging.folder(shop, run), shop.recipe(run), shop.rules(run)
    packages = packages_of(package)
    return {
        "project": run.spec.project,
        "model": run.spec.model,
        "task": rules.task,
        "target": rules.target,
        "train": recipe.train,
        "run": run.id,
        "commit": run.spec.commit,
        "asked_by": run.spec.asked_by,
        "parameters": dict(full_parameters(recipe, run)),
        "training": dict(train.result) if train else {},
        "library": "sklearn" if "scikit-learn" in packages else None,
        "environment": {
            "requirements_sha256": sha256(package / "requirements.txt"),
            "packages_sha256": sha256(package / PACKAGES) if packages else None,
            "python": platform.python_version(),
            "platform": platform.system().lower(),
        },
        "digests": judged.get("reproducible", {}).get("digests", {}),
        "metrics": {one["metric"]: one for one in [report.get("primary"), *report.get("others", [])] if one},
        "parent": parent.name if parent else None,
        "verdict": verdict,
    }
