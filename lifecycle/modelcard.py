"""MODEL_CARD.md of a version: measured facts for people, with the metadata by which model hubs index it (pure)."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

FILE = "MODEL_CARD.md"
HUB_NAMES = {
    "auc": "roc_auc",
    "brier": "brier_score",
    "logloss": "log_loss",
    "mcc": "matthews_correlation",
    "r2": "r_squared",
}  # what hubs call a metric, where it is not what we call it
MARKS = {"OK": "✅", "WARN": "⚠️", "FAIL": "❌", "PASS": "✅", "INCONCLUSIVE": "⚖️"}
MOST = 50  # columns and parameters that are listed


def model_card(report: Mapping[str, Any], manifest: Mapping[str, Any], signature: Mapping[str, str]) -> str:
    """The card's text. `report` is a report document, `manifest` a manifest's facts, `signature` columns and types."""
    head = yaml.safe_dump(_metadata(report, manifest), sort_keys=False, allow_unicode=True)
    lines = [
        f"# {manifest['model']}",
        "",
        f"{MARKS.get(report['verdict'], '')} **{report['verdict']}.** {_plain(report['sentence'])}",
        "",
        *_purpose(manifest, signature),
        *_training(report, manifest),
        *_evaluation(report),
        *_costs(report.get("costs") or {}),
        *_again(report, manifest),
    ]
    return f"---\n{head}---\n\n" + "\n".join(lines).rstrip() + "\n"


def _metadata(report: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Front matter as the Hugging Face hub reads it."""
    judgement, task = report["judgement"], f"tabular-{manifest['task']}"
    found = [judgement["primary"], *judgement["others"]]
    dataset = {"name": f"{manifest['project']}, held-back rows", "type": manifest["project"]}
    own = report.get("seeds") or {}
    values = {one["metric"]: one["candidate"] for one in found}
    if own.get("values"):
        values[judgement["primary"]["metric"]] = own["values"][0]  # of this version, not of the average over seeds
    metrics = [{"type": HUB_NAMES.get(name, name), "name": name, "value": value} for name, value in values.items()]
    results = [{"task": {"type": task, "name": manifest["task"]}, "dataset": dataset, "metrics": metrics}]
    library = {"library_name": manifest["library"]} if manifest.get("library") else {}
    return {
        **library,
        "pipeline_tag": task,
        "tags": [task, "lifecycle-bot"],
        "metrics": [HUB_NAMES.get(name, name) for name in values],
        "model-index": [{"name": manifest["model"], "results": results}],
    }


def _purpose(manifest: Mapping[str, Any], signature: Mapping[str, str]) -> list[str]:
    lines = [f"Predicts {_code(manifest['target'])} ({manifest['task']}) from {len(signature)} columns.", ""]
    lines += ["<details><summary>Columns</summary>", "", "| column | type |", "|---|---|"]
    lines += [f"| {_code(name)} | {_code(kind)} |" for name, kind in list(signature.items())[:MOST]]
    return [*lines, *_more(len(signature)), "", "</details>", ""]


def _training(report: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[str]:
    train, changed = report["training"], report.get("changed") or {}
    span = f", from {train['trained_on'][0]} to {train['trained_on'][1]}" if train.get("trained_on") else ""
    facts = [
        f"commit {_code(manifest['commit'])} of {_code(manifest['project'])}, with {_code(manifest['train'])}",
        f"{train['rows']:,} rows{span}; data {_code(train['data_version'][:12])}",
        f"{train['seconds']:g} s, {train['memory_mb']:,} MB",
    ]
    given = list(manifest["parameters"].items())
    facts += ["parameters: " + ", ".join(_code(f"{name}={value}") for name, value in given[:MOST])] if given else []
    if manifest.get("parent"):
        others = changed.get("others_count", 0)
        facts.append(f"made while {manifest['parent']} served; changes of others to the model since that: {others}")
    return ["## Training", "", *(f"- {one}" for one in facts), ""]


def _evaluation(report: Mapping[str, Any]) -> list[str]:
    judgement = report["judgement"]
    primary = judgement["primary"]
    against = f"v{report['champion']}" if report["champion"] else "–"
    lines = [
        "## Evaluation",
        "",
        f"On {primary['rows']:,} held-back rows that training did not see. {_blocks(report)}".rstrip(),
        "",
        f"| metric | this model | {against} | difference, 95 % interval | |",
        "|---|--:|--:|---|---|",
        *(_row(one, one is primary) for one in (primary, *judgement["others"])),
        "",
    ]
    if judgement["baseline"]:
        lines += [f"Against a dummy: {_plain(judgement['baseline']['reason'])}", ""]
    worse = [f"- {_plain(one['reason'])}" for one in judgement["slices"]]
    lines += ["Where it is worse than the version before:", "", *worse, ""] if worse else []
    checks = [
        f"- {MARKS[one['outcome']]} {_plain(one['name'])}: {_plain(one['sentence'])}" for one in judgement["checks"]
    ]
    return [*lines, *(["### Checks", "", *checks, ""] if checks else [])]


def _blocks(report: Mapping[str, Any]) -> str:
    blocks = report.get("blocks")
    return f"Rows of the same {_plain(blocks['by'])} count as one." if blocks else ""


def _row(one: Mapping[str, Any], decides: bool) -> str:
    difference = one["difference"]
    shown = f"{_number(difference['low'])} to {_number(difference['high'])}" if difference else "–"
    name = f"**{one['metric']}**" if decides else one["metric"]
    arrow = "↑" if one["greater_is_better"] else "↓"
    mark = MARKS[one["verdict"]] if decides else ""
    return f"| {name} {arrow} | {_number(one['candidate'])} | {_number(one['champion'])} | {shown} | {mark} |"


def _costs(costs: Mapping[str, Any]) -> list[str]:
    own, other = costs.get("candidate") or {}, costs.get("champion") or {}
    words = {
        "p95_row_ms": "one row, 95th percentile, ms",
        "load_seconds": "loading, s",
        "mb": "files, MB",
        "memory_mb": "memory, MB",
    }
    rows = [f"| {words[name]} | {_number(own[name])} | {_number(other.get(name))} |" for name in words if own.get(name)]
    return ["## Cost", "", "| | this model | champion |", "|---|--:|--:|", *rows, ""] if rows else []


def _again(report: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[str]:
    repeat = report.get("reproducible") or {}
    digests = [f"| {name} | {_code(value)} |" for name, value in repeat.get("digests", {}).items()]
    return [
        "## Using it, and making it again",
        "",
        "The folder is an MLflow model; `manifest.json` holds the sha256 of every file.",
        "",
        "```python",
        'model = mlflow.pyfunc.load_model("this-folder")',
        "```",
        "",
        f"Check out {_code(manifest['commit'])}, install `packages.txt`, and run {_code(manifest['train'])} with "
        "`LIFECYCLE_DATA`, `LIFECYCLE_PARAMS`, `LIFECYCLE_SEED=0` and `LIFECYCLE_OUTPUT`.",
        _plain(repeat.get("sentence", "")),
        "",
        *(["| sha256 of | |", "|---|---|", *digests] if digests else []),
    ]


def _more(count: int) -> Sequence[str]:
    return (f"\n… and {count - MOST} more.",) if count > MOST else ()


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _plain(text: str) -> str:
    """Text with names from the data in it: no HTML and no link comes of it, and it stays in its cell."""
    short = " ".join(str(text).split())
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#" else letter for letter in short)


def _code(text: object) -> str:
    """A name from outside as code, whatever is in it."""
    plain = " ".join(str(text).split()).replace("|", "¦")[:200]
    return f"`{plain}`" if "`" not in plain else f"`` {plain} ``" if "``" not in plain else _plain(plain)
