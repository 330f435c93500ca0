"""Is one table's data like another's in kind: the same columns, as few gaps, no values that the other did not have?

Only what breaks a model is looked at; whether numbers moved is the monitor's question, and data may well have grown.
"""

from __future__ import annotations

from dataclasses import dataclass

from lifecycle.drift.columns import CategoryColumn, Mismatch, NumericColumn
from lifecycle.drift.numbers import holm, rate_p
from lifecycle.drift.profiles import Profile
from lifecycle.verdicts.findings import Check, Outcome

LEAST = 0.01  # of the rows; smaller changes are not worth a word
P = 0.001
MOST = 5  # columns that are named


@dataclass(frozen=True, slots=True)
class _Rate:
    """How many rows of a column are so, in the reference and here; `words` say what."""

    column: str
    before: int
    rows: int
    now: int
    here: int
    words: str


def quality_checks(reference: Profile, other: Profile, here: str, there: str) -> tuple[Check, ...]:
    """Checks of `other` (profiled with like=reference); `here` and `there` name the two in a sentence."""
    return (
        _schema(reference, other, there),
        _rates("null rates", _missing(reference, other), f"Values are missing in {here} as rarely as in {there}."),
        _rates("new categories", _unseen(reference, other), f"{here[0].upper()}{here[1:]} have no values that {there} "
               "do not have."),
    )  # fmt: skip


def _schema(reference: Profile, other: Profile, there: str) -> Check:
    gone = sorted(set(reference.columns) - set(other.columns))
    kinds = [one for one in other.columns.values() if isinstance(one, Mismatch)]
    words = [f"{name} is gone" for name in gone] + [f"{name} is new" for name in other.extra]
    words += [f"{one.name} held {one.was} and holds {one.now}" for one in kinds]
    if not words:
        return Check("schema", Outcome.OK, f"The columns are those of {there}.")
    more = f", and {len(words) - MOST} more" if len(words) > MOST else ""
    return Check("schema", Outcome.WARN, f"Compared with {there}: {', '.join(words[:MOST])}{more}.")


def _missing(reference: Profile, other: Profile) -> list[_Rate]:
    found = []
    for name, one in reference.columns.items():
        two = other.columns.get(name)
        if isinstance(one, NumericColumn) and isinstance(two, NumericColumn):
            found.append(_Rate(name, one.missing, one.rows, two.missing, two.rows, "missing"))
        elif isinstance(one, CategoryColumn) and isinstance(two, CategoryColumn):
            found.append(_Rate(name, one.null, one.rows, two.null, two.rows, "missing"))
    return found


def _unseen(reference: Profile, other: Profile) -> list[_Rate]:
    """Rows whose category the reference does not have, where all of its categories are known."""
    found = []
    for name, one in reference.columns.items():
        two = other.columns.get(name)
        if isinstance(one, CategoryColumn) and isinstance(two, CategoryColumn) and one.complete:
            new = sum(two.unseen.values()) + two.more_unseen
            few = ", ".join(f'"{value[:40]}"' for value in sorted(two.unseen, key=lambda value: -two.unseen[value])[:3])
            found.append(_Rate(name, 0, one.rows, new, two.rows, f"new ({few})"))
    return found


def _rates(check: str, rates: list[_Rate], fine: str) -> Check:
    """What rose by at least a hundredth of the rows, for sure."""
    adjusted = holm([rate_p(one.before, one.rows, one.now, one.here) for one in rates])
    rose = [
        (one, _share(one.now, one.here), _share(one.before, one.rows))
        for one, p in zip(rates, adjusted, strict=True)
        if p < P and _share(one.now, one.here) - _share(one.before, one.rows) >= LEAST
    ]
    if not rose:
        return Check(check, Outcome.OK, fine)
    rose.sort(key=lambda found: found[2] - found[1])
    words = [f"{new:.1%} of {one.column} are {one.words}" + (f" (was {old:.1%})" if old else "")
             for one, new, old in rose[:MOST]]  # fmt: skip
    more = f"; and {len(rose) - MOST} more columns" if len(rose) > MOST else ""
    return Check(check, Outcome.WARN, f"{'; '.join(words)}{more}.")


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
