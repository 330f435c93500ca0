"""Numbers that NannyML prints in its documentation, from the same data by our code, to the last digit printed."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from lifecycle.drift.numbers import jensen_shannon, kolmogorov_smirnov
from lifecycle.verdicts import Cbpe, measure

REFERENCE, CHUNK = 50_000, 5_000
PRINTED = [  # KS and JS of the debt-to-income ratio, CBPE's and the realised area under the ROC curve, chunk by chunk
    (0.01576, 0.031661, 0.970744, 0.970962),
    (0.01268, 0.030011, 0.971011, 0.970248),
    (0.01734, 0.031129, 0.971407, 0.976282),
    (0.01280, 0.029464, 0.971091, 0.967721),
    (0.01918, 0.030809, 0.971123, 0.969886),
    (0.00824, 0.028681, 0.961090, 0.960050),
    (0.01058, 0.043628, 0.961825, 0.958530),
    (0.01002, 0.029253, 0.961073, 0.959041),
    (0.01068, 0.030628, 0.962533, 0.963094),
    (0.00680, 0.028330, 0.961316, 0.957556),
]


@pytest.fixture(scope="module")
def loans():
    table = pq.read_table(Path(__file__).parent / "data" / "car_loan.parquet")
    ratio = table["debt_to_income"].to_numpy().astype(np.float64)
    return ratio, table["probability"].to_numpy() / 100, table["label"].to_numpy(zero_copy_only=False).astype(int)


def chunks(values):
    return [values[REFERENCE + at * CHUNK : REFERENCE + (at + 1) * CHUNK] for at in range(10)]


def test_kolmogorov_smirnov_as_printed(loans):
    ratio = loans[0]
    known = ratio[:REFERENCE]
    edges = np.linspace(known.min(), known.max(), 10_001)  # NannyML counts in so many bins of the reference's range
    reference = outward(known, edges)
    for values, printed in zip(chunks(ratio), PRINTED, strict=True):
        assert round(kolmogorov_smirnov(reference, outward(values, edges)), 5) == printed[0]


def outward(values, edges):
    """Counts between edges, with one more on either side for what lies beyond."""
    inside = np.histogram(values, edges)[0]
    return np.concatenate(([(values < edges[0]).sum()], inside, [(values > edges[-1]).sum()]))


def test_jensen_shannon_as_printed(loans):
    ratio = loans[0]
    known = ratio[:REFERENCE]
    edges = np.histogram_bin_edges(known, bins="doane")
    reference = np.append(np.histogram(known, edges)[0], 0)  # what lies outside the reference's range is one more bin
    for values, printed in zip(chunks(ratio), PRINTED, strict=True):
        inside = np.histogram(values, edges)[0]
        counts = np.append(inside, len(values) - inside.sum())
        assert round(jensen_shannon(reference, counts), 6) == printed[1]


def test_estimate_without_labels_as_printed(loans):
    _, probability, label = loans
    estimator = Cbpe.fit(label[:REFERENCE], probability[:REFERENCE])
    assert Cbpe.from_plain(estimator.to_plain()) == estimator
    for values, printed in zip(chunks(probability), PRINTED, strict=True):
        found = estimator.estimate(values)
        assert round(found.estimate, 6) == printed[2]
        assert found.low < found.estimate < found.high


def test_realised_area_as_printed(loans):
    _, probability, label = loans
    for truth, values, printed in zip(chunks(label), chunks(probability), PRINTED, strict=True):
        found = measure(truth, values, "auc")
        assert round(found.estimate, 6) == printed[3]
        assert found.low < found.estimate < found.high
