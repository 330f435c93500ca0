"""How well a model did in a window: from labels that have arrived, else as far as that can be told without them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from lifecycle import tables
from lifecycle.arrivals import Arrival, FileArrivals
from lifecycle.dailies import Seen
from lifecycle.estimating import estimated_loss
from lifecycle.knownrows import known_rows
from lifecycle.labels import Label, in_table, plain_key
from lifecycle.project import Model
from lifecycle.reference import Measured
from lifecycle.registry import Version
from lifecycle.runs import Run
from lifecycle.shop import Shop, Trouble, serving_name
from lifecycle.traffic import Traffic
from lifecycle.troubles import BadData, NoSuchData
from lifecycle.verdicts import METRICS, Comparison, Interval, Margin, NotDefined, expected, realised
from lifecycle.verdicts.cbpe import BLIND, METRICS_ESTIMATED

FEWEST = 30  # labelled rows
Span = tuple[datetime, datetime]


@dataclass(slots=True)
class Labelled:
    """Rows of the watched version whose labels are known."""

    labels: list[Label] = field(default_factory=list)
    answers: list[pa.RecordBatch] = field(default_factory=list)
    days: list[str] = field(default_factory=list)


def performance(
    shop: Shop, run: Run, rules: Model, version: Version, traffic: Traffic, span: Span, seen: Seen, moved: bool
) -> dict[str, Any]:
    """A Comparison with the version's validation as JSON, with `how` and `sentence`; empty if nothing can be said.

    Without labels an estimate is made only where something has `moved`: it sees nothing else. Raises Trouble.
    """
    measured = Measured.read(shop.registry.folder(version))
    found = _realised(shop, run, rules, version, traffic, span, measured)
    if found is not None:
        return {**asdict(found), "how": "realised", "sentence": found.reason}
    name = serving_name(version.project, version.model)
    known = known_rows(shop.root, shop.registry.artifacts, name, version.run)
    guess = estimated(rules, measured, known, seen) if moved and seen.sample is not None else None
    if guess is None:
        return {}
    return {**asdict(guess), "how": "estimated", "sentence": f"{guess.reason} {BLIND}"}


def _realised(
    shop: Shop, run: Run, rules: Model, version: Version, traffic: Traffic, span: Span, measured: Measured
) -> Comparison | None:
    reference = measured.metrics.get(rules.metric)
    known = known_labels(shop, run, rules, version)
    if reference is None or (not known and not isinstance(traffic.arrivals, FileArrivals)):
        return None
    rows = labelled(traffic, rules, known, span)
    if len(rows.labels) < FEWEST:
        return None
    answers = pa.Table.from_batches(rows.answers)
    try:
        return realised(
            np.array(rows.labels),
            answers,
            reference,
            metric=rules.metric,
            margin=_margin(rules),
            groups=rows.days,
            positive=rules.validate_.positive,
            min_rows=FEWEST,
        )
    except NotDefined:
        return None
    except ValueError as trouble:
        raise Trouble(f"The labels do not fit the answers: {trouble}") from None


def _margin(rules: Model) -> Margin | None:
    return Margin.parse(rules.monitor.margin) if rules.monitor.margin else None


def known_labels(shop: Shop, run: Run, rules: Model, version: Version) -> dict[str, Label]:
    """Labels by key: those that were sent, and those in the files that `monitor.labels` names. Raises Trouble."""
    found = shop.labels.read(serving_name(version.project, version.model))
    if not rules.monitor.labels:
        return found
    where = rules.monitor.labels
    arrivals = FileArrivals(where, shop.tree(run) if "://" not in where else Path(), None)
    try:
        pieces = arrivals.pieces()
    except NoSuchData:
        return found  # they are late
    for piece in pieces:
        place = piece if "://" in piece else str(arrivals.tree / piece)
        try:
            found |= _in_file(tables.source(place), rules, piece)
        except tables.TableError as trouble:
            raise BadData(f"the labels in {piece} cannot be read: {trouble}") from None
    return found


def _in_file(source: tables.Source, rules: Model, piece: str) -> dict[str, Label]:
    found: dict[str, Label] = {}
    for batch in source.batches():
        names = batch.schema.names
        label = rules.target if rules.target in names else "label"
        key = _key(rules)
        if label not in names or (key not in names and "request" not in names):
            raise BadData(f"{piece} needs the columns {label!r} and {key or 'request'!r} to hold labels")
        labels = batch.column(label).to_pylist()
        if "request" in names:
            places = batch.column("row").to_pylist() if "row" in names else [0] * len(labels)
            keys = [f"{one}/{at}" for one, at in zip(batch.column("request").to_pylist(), places, strict=True)]
            found |= {k: value for k, value in zip(keys, labels, strict=True) if value is not None}
        else:
            found |= in_table(batch.column(key).to_pylist(), labels)
    return found


def _key(rules: Model) -> str:
    return rules.monitor.key or rules.time or ""


def labelled(traffic: Traffic, rules: Model, known: Mapping[str, Label], span: Span) -> Labelled:
    """The window's rows that the watched version answered and that have a label; read again, since labels are late."""
    start, stop = (np.datetime64(one.replace(tzinfo=None), "us") for one in span)
    found = Labelled()
    for piece in traffic.dailies.pieces_in(*span):
        for arrival in traffic.arrivals.read(piece, ""):
            chosen = (arrival.times >= start) & (arrival.times < stop)
            at = np.flatnonzero(chosen if arrival.own is None else chosen & arrival.own)
            labels = [_label_of(arrival, int(place), rules, known) for place in at]
            kept = [place for place, label in zip(at, labels, strict=True) if label is not None]
            names = [name for name in arrival.rows.schema.names if name in traffic.recipe.answers]
            if kept and names:
                found.answers.append(arrival.rows.select(names).take(pa.array(kept)))
                found.labels += [label for label in labels if label is not None]
                found.days += [str(day) for day in arrival.times[kept].astype("datetime64[D]")]
    return found


def _label_of(arrival: Arrival, place: int, rules: Model, known: Mapping[str, Label]) -> Label | None:
    names = arrival.rows.schema.names
    if arrival.keys is not None and (label := known.get(arrival.keys[place])) is not None:
        return label
    key = _key(rules)
    if key in names:
        label = known.get(plain_key(arrival.rows.column(key)[place].as_py()))
        if label is not None:
            return label
    own: Label | None = arrival.rows.column(rules.target)[place].as_py() if rules.target in names else None
    return own


def estimated(rules: Model, measured: Measured, known: Path, seen: Seen) -> Comparison | None:
    """How well the model probably does, without labels; None where that cannot be told."""
    sample = seen.sample
    if sample is None:
        return None
    found: tuple[str, Interval | None] = ("", None)
    if rules.task == "regression" and known.is_file():
        loss = rules.metric if rules.metric in ("mae", "mse") else "mae"
        found = loss, estimated_loss(known, sample, loss)
    elif measured.cbpe is not None and measured.positive in sample.column_names:
        metric = next((one for one in (rules.metric, *METRICS_ESTIMATED) if one in METRICS_ESTIMATED), "auc")
        chances = sample.column(measured.positive).drop_null().to_numpy()
        found = metric, measured.cbpe.estimate(chances, metric) if len(chances) else None
    metric, interval = found
    reference = measured.metrics.get(metric)
    if interval is None or reference is None or sample.num_rows < FEWEST:
        return None
    margin = _margin(rules) if metric == rules.metric else None
    return expected(interval, reference, metric=METRICS[metric].name, margin=margin, rows=sample.num_rows)
