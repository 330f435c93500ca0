"""Turns a finished run's package into a version: the manifest says everything that it was made from."""

import json
import platform
from typing import Any

from lifecycle.registry import Version, sha256
from lifecycle.runs import Run, Stage
from lifecycle.shop import Shop, full_parameters
from lifecycle.stages import packaging


def seal(shop: Shop, run: Run, verdict: str) -> Version:
    """The run's version, registered; the same run makes the same version, however often it is sealed."""
    known = shop.registry.of_run(run.id)
    if known is not None:
        return known
    package = packaging.folder(shop, run)
    facts = manifest_facts(shop, run, verdict)
    (package / "report.json").write_text(json.dumps(facts["report"], indent=1) + "\n", encoding="utf-8")
    digest = shop.registry.seal(package, {name: value for name, value in facts.items() if name != "report"})
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


def manifest_facts(shop: Shop, run: Run, verdict: str) -> dict[str, Any]:
    """What a version was made from: commit, data, parameters, environment; how good it is; whom it succeeds."""
    train, validate = run.stage(Stage.TRAIN), run.stage(Stage.VALIDATE)
    judged = dict(validate.result) if validate else {}
    report = judged.get("judgement", {})
    parent = shop.registry.champion(run.spec.project, run.spec.model)
    requirements = packaging.folder(shop, run) / "requirements.txt"
    return {
        "project": run.spec.project,
        "model": run.spec.model,
        "run": run.id,
        "commit": run.spec.commit,
        "asked_by": run.spec.asked_by,
        "parameters": dict(full_parameters(shop.recipe(run), run)),
        "training": dict(train.result) if train else {},
        "environment": {"requirements_sha256": sha256(requirements), "platform": platform.system().lower()},
        "digests": judged.get("reproducible", {}).get("digests", {}),
        "metrics": {one["metric"]: one for one in [report.get("primary"), *report.get("others", [])] if one},
        "parent": parent.name if parent else None,
        "verdict": verdict,
        "report": report,
    }
