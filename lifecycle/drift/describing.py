"""What moved, in words: direction and size, so that nobody has to know what a PSI is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lifecycle.drift.bins import Bins
from lifecycle.drift.columns import CategoryColumn, NumericColumn
from lifecycle.drift.report import Alarm, ColumnDrift
from lifecycle.verdicts.words import number, pair

STEP = 0.1  # of training's standard deviation: a change of the mean that is worth naming


def share(value: float) -> str:
    """A share as a percentage, as short as it tells."""
    percent = value * 100
    if percent >= 10 or percent == 0:
        return f"{percent:.0f} %"
    return f"{percent:.1f} %" if percent >= 0.1 else "under 0.1 %"


def rows(value: float) -> str:
    """A share of the rows as one says it."""
    if value >= 0.995:
        return "all rows"
    return f"most rows ({share(value)})" if value > 0.5 else f"{share(value)} of rows"


def new_values(window: CategoryColumn) -> str:
    """(“XX”, “YY” and 3 more) for the most frequent values that training did not have."""
    names = sorted(window.unseen, key=lambda value: (-window.unseen[value], value))
    if not names:
        return ""
    shown = ", ".join(f"“{name[:30]}”" for name in names[:3])
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f" ({shown}{more})"


def reason(
    reference: NumericColumn | CategoryColumn,
    window: NumericColumn | CategoryColumn,
    bins: Bins,
    quality: Sequence[str],
    shifted: bool,
) -> str:
    """One sentence about one column; ``quality`` are findings about missing, new and outlying values."""
    if isinstance(reference, NumericColumn) and isinstance(window, NumericColumn):
        moved = _numbers_moved(reference, window, bins, named=len(quality) > 0) if shifted or quality else ""
    else:
        moved = _categories_moved(bins, named=len(quality) > 0) if shifted else ""
    parts = [part for part in (moved, *quality) if part]
    return f"{reference.name}: {', '.join(parts)}." if parts else f"{reference.name}: as in training."


def _numbers_moved(reference: NumericColumn, window: NumericColumn, bins: Bins, named: bool) -> str:
    """The mean, else the spread, else the range that gained most."""
    if not window.finite or not reference.finite:
        return ""
    before, now = pair(reference.mean, window.mean)
    spread = reference.deviation
    if spread == 0 or abs(window.mean - reference.mean) >= STEP * spread:
        return f"mean {before} → {now}{_tail(reference, window, named)}"
    if not 0.8 <= window.deviation / spread <= 1.25:
        return f"spread (standard deviation) {number(spread)} → {number(window.deviation)}"
    return _largest_gain(reference, bins) if not named else ""


def _tail(reference: NumericColumn, window: NumericColumn, named: bool) -> str:
    """How much of the window lies beyond nine tenths of training, unless the range was named already."""
    if named or not window.finite:
        return ""
    reached = np.cumsum(reference.counts) / max(reference.finite, 1)
    low_cut, high_cut = int(np.searchsorted(reached, 0.1)), int(np.searchsorted(reached, 0.9))
    higher = float(window.counts[high_cut + 1 :].sum()) / window.finite
    lower = float(window.counts[:low_cut].sum()) / window.finite
    if window.mean >= reference.mean and higher > 0.25:
        return f", {rows(higher)} are higher than nine tenths of training"
    if window.mean < reference.mean and lower > 0.25:
        return f", {rows(lower)} are lower than nine tenths of training"
    return ""


def _largest_gain(reference: NumericColumn, bins: Bins) -> str:
    before, now = bins.reference / max(bins.reference.sum(), 1), bins.window / max(bins.window.sum(), 1)
    ranges = len(bins.cells)
    if not ranges:
        return ""
    at = int(np.argmax(np.abs(now - before)[:ranges]))
    borders = reference.grid.borders()
    start, end = bins.cells[at]
    where = (
        f"between {number(float(borders[max(start - 1, 0)]))} and {number(float(borders[min(end, len(borders)) - 1]))}"
    )
    if start == 0:
        where = f"below {number(float(borders[end - 1]))}" if end <= len(borders) else "overall"
    elif end > len(borders):
        where = f"above {number(float(borders[start - 1]))}"
    return f"{share(float(before[at]))} → {share(float(now[at]))} of rows are {where}"


def _categories_moved(bins: Bins, named: bool) -> str:
    before, now = bins.reference / max(bins.reference.sum(), 1), bins.window / max(bins.window.sum(), 1)
    order = np.argsort(-np.abs(now - before), kind="stable")[:2]
    parts = []
    for at in order:
        label = bins.labels[at]
        if now[at] != before[at] and not (named and (label == "missing" or before[at] == 0)):
            name = label if label in ("missing", "new values") or "rare values" in label else f"“{label[:30]}”"
            parts.append(f"{name} {share(float(before[at]))} → {share(float(now[at]))}")
    return ", ".join(parts)


def summary(
    columns: Sequence[ColumnDrift], here: int, watched: int, notes: Sequence[str], within: Sequence[str] = ()
) -> str:
    """The report in one or two sentences, the worst columns first; `within` are clean by limits of their own."""
    moved = [one for one in columns if one.verdict is not Alarm.CLEAN]
    said = " ".join(notes)
    if not moved and within:
        return f"Nothing moved beyond its limit, on {here:,} rows. {said}"
    if not moved:
        clean = (
            f"Nothing moved: {_count(watched, 'watched column')} as in training, on {here:,} rows." if watched else ""
        )
        return " ".join(part for part in (said, clean) if part) or f"No column is watched; {here:,} rows."
    total = watched + sum(one.psi is None for one in columns)
    answers = " The model's own answers moved." if any(one.role == "prediction" for one in moved) else ""
    shown = " ".join(one.reason for one in moved[:3])
    verb = "has" if len(moved) == 1 else "have"
    start = f"{len(moved)} of {_count(total, 'column')} {verb} moved on {here:,} rows.{answers} {shown}"
    more = f" And {len(moved) - 3} more." if len(moved) > 3 else ""
    return f"{start}{more}{' ' + said if said else ''}"


def within_limit(name: str, limit: float) -> str:
    """What is said of a column that is clean only because it may move further than others."""
    return f"{name}: differs from training as a whole, within its own limit (PSI {limit:.2f})."


def own_limit(names: Sequence[str]) -> str:
    """Why these columns are clean though they differ from training."""
    shown = ", ".join(name[:40] for name in names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    verb, its = ("differs", "its") if len(names) == 1 else ("differ", "their")
    return (
        f"{shown} {verb} from training as a whole, but stayed within {its} own limit: what is usual from one window to "
        "the next in the training data, such as seasons, or what lifecycle.yaml allows."
    )


def _count(number_: int, what: str) -> str:
    return f"{number_:,} {what}{'' if number_ == 1 else 's'}"
