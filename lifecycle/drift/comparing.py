"""The alarm: a window's profile held against training's, with one false-alarm rate for all columns."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from lifecycle.drift import describing
from lifecycle.drift.bins import Bins, category_bins, number_bins
from lifecycle.drift.columns import CategoryColumn, Column, Mismatch, NotMergeable, NumericColumn, Unwatched
from lifecycle.drift.numbers import Tested, held_against, holm, jensen_shannon, kolmogorov_smirnov, rate_p, wasserstein
from lifecycle.drift.profiles import Profile
from lifecycle.drift.report import Alarm, ColumnDrift, DriftReport, Watch
from lifecycle.verdicts.words import number


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something befell training's rows (count of rows) and the window's; ``words`` say what, with shares."""

    count: int
    rows: int
    now: int
    here: int
    words: str
    both_ways: bool = False

    @property
    def size(self) -> float:
        """How far the shares are apart; fewer than expected only counts where that is news."""
        change = (self.now / self.here if self.here else 0.0) - (self.count / self.rows if self.rows else 0.0)
        return abs(change) if self.both_ways else max(change, 0.0)


@dataclass(frozen=True, slots=True)
class Pair:
    """One watched column of both profiles with all that is tested about it."""

    reference: NumericColumn | CategoryColumn
    window: NumericColumn | CategoryColumn
    bins: Bins
    tested: Tested
    rates: tuple[Rate, ...] = field(default=())


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def compare(reference: Profile, window: Profile, watch: Watch | None = None) -> DriftReport:
    """Hold a window against training. Raises ValueError if it was not profiled with ``like=reference``."""
    watch = watch or Watch()
    unwatched = {one.name: one.why for one in reference.columns.values() if isinstance(one, Unwatched)}
    unwatched |= {name: "ignored" for name in watch.ignore if name in reference.columns}
    found: list[ColumnDrift] = []
    pairs: list[Pair] = []
    for name, column in reference.columns.items():
        if name in unwatched or isinstance(column, Unwatched | Mismatch):
            continue
        other = window.columns.get(name)
        if other is None:
            found.append(_schema(column, "is not there any more"))
        elif isinstance(other, Mismatch):
            found.append(_schema(column, f"held {other.was} in training and holds {other.now} now"))
        elif other.rows >= watch.min_rows:
            pairs.append(_pair(column, other))
    found += _judged(pairs, watch)
    found.sort(key=lambda one: (-one.verdict.rank, -(one.psi_corrected if one.psi_corrected is not None else 99.0)))
    within = [one.name for one in found if _is_within(one.verdict, one.p, one.psi_corrected, watch)]
    notes = _notes(window, watch) + ([(Alarm.CLEAN, describing.own_limit(within))] if within else [])
    return DriftReport(
        verdict=_worst([one.verdict for one in found] + [alarm for alarm, _ in notes]),
        columns=tuple(found),
        rows=window.rows,
        sentence=describing.summary(found, window.rows, len(pairs), [note for _, note in notes], within),
        reference_rows=reference.rows,
        unwatched=unwatched,
        extra=window.extra,
        notes=tuple(note for _, note in notes),
    )


def _worst(alarms: list[Alarm]) -> Alarm:
    return max(alarms, key=lambda one: one.rank, default=Alarm.CLEAN)


def _schema(column: NumericColumn | CategoryColumn, what: str) -> ColumnDrift:
    kind = "numeric" if isinstance(column, NumericColumn) else "category"
    return ColumnDrift(
        column.name, kind, None, None, None, None, Alarm.ALARM, f"{column.name} {what}.", column.role, 1.0
    )


def _notes(window: Profile, watch: Watch) -> list[tuple[Alarm, str]]:
    """What is said about the window as a whole."""
    notes = []
    usual = watch.usual_rows
    if usual is not None and not usual / 2 <= window.rows <= usual * 2:
        notes.append((Alarm.WARN, f"{window.rows:,} rows arrived where {number(usual)} are usual."))
    if window.rows < watch.min_rows:
        few = "1 row is" if window.rows == 1 else f"{window.rows:,} rows are"
        notes.append((Alarm.CLEAN, f"{few} too few to say anything about columns."))
    return notes


def _is_within(verdict: Alarm, p: float | None, psi: float | None, watch: Watch) -> bool:
    """Whether a column is clean only by a limit of its own: any other would be warned of."""
    return verdict is Alarm.CLEAN and p is not None and p < watch.p and (psi or 0.0) >= watch.psi_warn


def _pair(reference: NumericColumn | CategoryColumn, window: Column) -> Pair:
    match reference, window:
        case NumericColumn(), NumericColumn():
            if not reference.grid.same(window.grid) or (window.bounds != reference.bounds):
                raise NotMergeable(f'The window\'s profile of "{window.name}" was not made with like=reference.')
            bins = number_bins(reference, window)
            rates = _number_rates(reference, window)
        case CategoryColumn(), CategoryColumn():
            if reference.values != window.values:
                raise NotMergeable(f'The window\'s profile of "{window.name}" was not made with like=reference.')
            bins = category_bins(reference, window)
            rates = _category_rates(reference, window)
        case _:
            raise NotMergeable(f'The window\'s profile of "{window.name}" was not made with like=reference.')
    return Pair(reference, window, bins, held_against(bins.reference, bins.window), rates)


def _number_rates(reference: NumericColumn, window: NumericColumn) -> tuple[Rate, ...]:
    infinite = reference.minus_inf + reference.plus_inf, window.minus_inf + window.plus_inf
    return (
        Rate(reference.missing, reference.rows, window.missing, window.rows, "are missing", both_ways=True),
        Rate(infinite[0], reference.rows, infinite[1], window.rows, "are infinite"),
        Rate(0, reference.finite, window.below, window.finite, "are lower than anything in training"),
        Rate(0, reference.finite, window.above, window.finite, "are higher than anything in training"),
    )


def _category_rates(reference: CategoryColumn, window: CategoryColumn) -> tuple[Rate, ...]:
    """New values are to be expected about as often as training had values exactly once (Good 1953); those it had twice
    are added for what that estimate leaves open."""
    new = describing.new_values(window)
    expected = reference.once + int((reference.counts == 2).sum())
    return (
        Rate(reference.missing, reference.rows, window.missing, window.rows, "are missing", both_ways=True),
        Rate(
            expected if reference.complete else 0,
            reference.rows - reference.missing,
            window.new,
            window.rows - window.missing,
            f"have values that training did not have{new}",
        ),
    )


def _judged(pairs: list[Pair], watch: Watch) -> list[ColumnDrift]:
    """Each pair's verdict. Every column is looked at in two ways, its shape and its rates, so shapes are adjusted for
    twice the columns; rates, which must be far surer, for all rates of all columns."""
    adjusted = holm([pair.tested.p for pair in pairs] + [1.0] * len(pairs))[: len(pairs)]
    suspects = [(at, rate) for at, pair in enumerate(pairs) for rate in pair.rates if rate.size >= watch.quality_warn]
    raw = [rate_p(rate.count, rate.rows, rate.now, rate.here) for _, rate in suspects]
    silent = sum(len(pair.rates) for pair in pairs) - len(suspects)  # tested too: their p-values are taken as 1
    certain = holm(raw + [1.0] * silent)[: len(raw)]
    hits: dict[int, list[Rate]] = {}
    for (at, rate), p in zip(suspects, certain, strict=True):
        if p < watch.quality_p:
            hits.setdefault(at, []).append(rate)
    return [
        _verdict(pair, p, hits.get(at, []), watch) for at, (pair, p) in enumerate(zip(pairs, adjusted, strict=True))
    ]


def _verdict(pair: Pair, p: float, hits: list[Rate], watch: Watch) -> ColumnDrift:
    warn, alarm = watch.thresholds(pair.reference.name)
    shifted = Alarm.CLEAN
    if p < watch.p and pair.tested.corrected >= warn:
        shifted = Alarm.ALARM if pair.tested.corrected >= alarm else Alarm.WARN
    quality = [Alarm.ALARM if rate.size >= watch.quality_alarm else Alarm.WARN for rate in hits]
    verdict = max([shifted, *quality], key=lambda one: one.rank)
    parts = [_rate_words(rate) for rate in hits]
    ks, far = _distances(pair)
    said = describing.reason(pair.reference, pair.window, pair.bins, parts, shifted is not Alarm.CLEAN)
    if _is_within(verdict, p, pair.tested.corrected, watch):
        said = describing.within_limit(pair.reference.name, warn)
    return ColumnDrift(
        name=pair.reference.name,
        kind="numeric" if isinstance(pair.reference, NumericColumn) else "category",
        p=p,
        psi=round(pair.tested.psi, 6),
        psi_corrected=round(pair.tested.corrected, 6),
        ks=ks,
        verdict=verdict,
        reason=said,
        role=pair.reference.role,
        missing=pair.window.missing / max(pair.window.rows, 1),
        js=round(jensen_shannon(pair.bins.reference, pair.bins.window), 6),
        wasserstein=far,
    )


def _distances(pair: Pair) -> tuple[float | None, float | None]:
    """Kolmogorov-Smirnov's and Wasserstein's, for numbers."""
    if not isinstance(pair.reference, NumericColumn) or not isinstance(pair.window, NumericColumn):
        return None, None
    before, now = pair.reference.counts, pair.window.counts
    far = wasserstein(before, now, pair.reference.grid.borders(), pair.reference.deviation)
    return round(kolmogorov_smirnov(before, now), 6), None if far is None else round(far, 6)


def _rate_words(rate: Rate) -> str:
    before = rate.count / rate.rows if rate.rows else 0.0
    return f"{describing.rows(rate.now / rate.here)} {rate.words}" + (
        f" (training: {describing.share(before)})" if before else ""
    )
