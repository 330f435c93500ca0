"""What a row of windows amounts to."""

import pytest

from lifecycle.drift import Alarm, Call, ColumnDrift, DriftReport, Signal, standing


def window(verdict, role="feature"):
    column = ColumnDrift("temp", "numeric", 0.0, 1.0, 1.0, 0.5, Alarm(verdict), "temp: mean 1 → 2.", role)
    return DriftReport(Alarm(verdict), (column,), 100, "temp moved.")


@pytest.mark.parametrize(
    ("verdicts", "call", "clean"),
    [
        ([], Call.NOTHING, 0),
        (["CLEAN", "CLEAN"], Call.NOTHING, 2),
        (["ALARM"], Call.COMMENT, 0),
        (["ALARM", "CLEAN", "WARN"], Call.COMMENT, 0),
        (["ALARM", "CLEAN", "ALARM"], Call.RETRAIN, 0),
        (["ALARM", "ALARM"], Call.RETRAIN, 0),
        (["ALARM", "ALARM", "CLEAN"], Call.NOTHING, 1),
        (["ALARM", "ALARM", "CLEAN", "CLEAN", "ALARM"], Call.COMMENT, 0),
    ],
)
def test_columns_must_persist(verdicts, call, clean):
    found = standing([window(one) for one in verdicts])
    assert (found.call, found.clean) == (call, clean)
    assert found.reason.endswith(".")


def test_answers_and_metrics_need_not_persist():
    assert standing([window("ALARM", "prediction")]).call is Call.RETRAIN
    assert standing([window("CLEAN")], worse=True).call is Call.RETRAIN


def test_answers_that_moved_a_little_count_where_columns_alarm():
    columns = [
        ColumnDrift(name, "numeric", 0.0, 1.0, 1.0, 0.5, Alarm(verdict), f"{name}: mean 1 → 2.", role)
        for name, verdict, role in (("temp", "ALARM", "feature"), ("prediction", "WARN", "prediction"))
    ]
    both = DriftReport(Alarm.ALARM, tuple(columns), 100, "temp moved.")
    assert standing([both]).signal is Signal.PREDICTIONS
    assert standing([window("WARN", "prediction")]).call is Call.COMMENT


def test_an_estimate_counts_where_columns_alarm():
    assert standing([window("ALARM")], probably_worse=True).signal is Signal.ESTIMATE
    assert standing([window("WARN")], probably_worse=True).call is Call.COMMENT
    assert standing([window("CLEAN")], probably_worse=True).call is Call.NOTHING


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="3 of 2 windows"):
        standing([], needed=3, of=2)
