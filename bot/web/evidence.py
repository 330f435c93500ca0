"""What stands behind a verdict, as the run's page shows it: plots, cost, age, changes, digests. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from bot.figures import figures_of
from bot.figures.svg import draw
from bot.web.format import number, plain, share
from bot.wording.sentences import plain_sentence
from lifecycle import Judgement

COSTS = (
    ("p95_row_ms", "One row, 95th percentile", "ms"),
    ("load_seconds", "Loading", "s"),
    ("mb", "The model's files", "MB"),
    ("memory_mb", "Memory", "MB"),
)

SHOWN = ("sha", "author", "subject")


@dataclass(frozen=True, slots=True)
class Cost:
    """One measure of both models, and how the candidate's compares."""

    name: str
    champion: str
    candidate: str
    change: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the stage kept besides the judgement; empty where it did not."""

    sentence: str
    plots: Sequence[Markup]
    costs: Sequence[Cost]
    age: str
    changes: Sequence[str]
    parameters: Sequence[tuple[str, str, str]]
    others: Sequence[Mapping[str, str]]
    others_count: int
    facts: Sequence[str]
    digests: Mapping[str, str]


def evidence(judgement: Judgement, result: Mapping[str, Any]) -> Evidence:
    """From a validate stage's result, of this version or an older one."""
    changed, repeat = result.get("changed") or {}, result.get("reproducible") or {}
    said = (repeat.get("sentence"), (result.get("seeds") or {}).get("why"), _blocks(result))
    return Evidence(
        sentence=plain_sentence(judgement, result.get("champion")),
        plots=[Markup(draw(one, "page")) for one in figures_of(result) if one.name != "differences"],  # noqa: S704
        costs=_costs(result.get("costs") or {}),
        age=_age(result.get("baseline") or {}),
        changes=_changes(changed),
        parameters=[(str(key), plain(old), plain(new)) for key, (old, new) in _items(changed.get("parameters"))],
        others=[{key: str(one.get(key, "")) for key in SHOWN} for one in changed.get("others") or ()],
        others_count=int(changed.get("others_count") or 0),
        facts=[str(text) for text in said if text],
        digests={str(key): str(value) for key, value in _items(repeat.get("digests"))},
    )


def _items(found: Mapping[str, Any] | None) -> list[tuple[str, Any]]:
    return list((found or {}).items())


def _costs(costs: Mapping[str, Any]) -> list[Cost]:
    own, theirs = costs.get("candidate") or {}, costs.get("champion") or {}
    return [
        Cost(name, _measured(theirs.get(key), unit), _measured(own[key], unit), _change(own[key], theirs.get(key)))
        for key, name, unit in COSTS
        if own.get(key) is not None
    ]


def _measured(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{number(value)} {unit}"


def _change(own: float, theirs: float | None) -> str:
    if not theirs:
        return ""
    gap = own / theirs - 1
    return "the same" if abs(gap) < 0.005 else f"{share(abs(gap))} {'more' if gap > 0 else 'less'}"


def _age(baseline: Mapping[str, Any]) -> str:
    if not baseline:
        return ""
    days = int(baseline.get("age_days") or 0)
    age = "today" if days == 0 else "a day ago" if days == 1 else f"{days:,} days ago"
    rows = f", on {baseline['rows']:,} rows" if baseline.get("rows") else ""
    return f"Compared with v{baseline['version']}, made {age}{rows}."


def _changes(changed: Mapping[str, Any]) -> list[str]:
    """What is different from when the champion was made."""
    if not changed:
        return []
    said = [f"{path} (this commit)" for path in list(changed.get("here") or [])[:20]]
    said += ["other data"] if changed.get("data") else []
    said += ["other packages"] if changed.get("requirements") else []
    elsewhere = int(changed.get("elsewhere") or 0)
    return said + ([f"{elsewhere:,} changes elsewhere in the repository"] if elsewhere else [])


def _blocks(result: Mapping[str, Any]) -> str:
    blocks = result.get("blocks")
    return f"Rows of the same {blocks['by']} count as one: {blocks['groups']:,} groups." if blocks else ""
