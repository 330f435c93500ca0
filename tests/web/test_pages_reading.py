"""How pages read things: times, numbers, logs, and where on a drawing they stand."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.web import drifting, format, logs, reports, scales
from lifecycle import Episode, Window
from tests.web.findings import comparison, judgement
from tests.web.house import TRAINING_LOG

NOW = datetime(2025, 6, 3, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "just now"), (42, "42 s ago"), (90, "1 min ago"), (7200, "2 h ago"), (3 * 86400, "3 d ago"),
     (20 * 86400, "2025-05-14"), (-300, "in 5 min")],
)  # fmt: skip
def test_how_long_ago(seconds: float, text: str) -> None:
    assert format.ago(NOW - timedelta(seconds=seconds), NOW) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.6, "1 min"), (200, "3 min 20 s"), (7500, "2 h 5 min"),
     (86400 * 3 + 4 * 3600, "3 d 4 h"), (-5, "0.0 s")],
)  # fmt: skip
def test_how_long(seconds: float, text: str) -> None:
    assert format.duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.00421, "0.00421"), (45.1, "45.1"), (12345.6, "12,346"), (-0.5, "−0.500"), (0, "0"), (None, "–"),
     (float("inf"), "inf")],
)  # fmt: skip
def test_numbers(value: float | None, text: str) -> None:
    assert format.number(value) == text


def test_numbers_that_belong_together_have_the_same_decimals() -> None:
    assert format.aligned(10.5, 8.4, 12.6) == ("+10.5", "+8.4", "+12.6")
    assert format.aligned(-0.0698, -0.0898, -0.0498) == ("−0.0698", "−0.0898", "−0.0498")
    assert format.aligned(0.0, 0.0, 0.0) == ("+0", "+0", "+0")


@settings(deadline=None)
@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(), st.floats())
def test_no_number_is_too_odd_to_read(one: float, two: float, three: float) -> None:
    assert format.number(one)
    assert format.signed(two)
    assert all(format.aligned(one, two, three))


def test_terminal_codes_and_progress_bars_are_gone() -> None:
    text = logs.clean(TRAINING_LOG.decode())
    assert text.startswith("Reading 2142 rows of hours.parquet\nround 200/200  mae")
    assert text.endswith("✓ done in 104 s — wrote model.skops\n<b>not bold</b> & fine\n")
    assert logs.clean("\x1b]8;;https://x.test\x1b\\link\x1b]8;;\x1b\\ \x1b(B\x1bPq#0\x1b\\.\x00\x9b\u202e") == "link ."


@settings(deadline=None)
@given(st.text(), st.integers(1, 7))
def test_nothing_of_a_log_is_lost_or_doubled(text: str, step: int) -> None:
    data = text.encode()
    read = lambda offset: (data[offset : offset + step], min(len(data), offset + step))  # noqa: E731
    offset, pieces = 0, []
    while True:
        found = logs.piece(read, offset, ended=True)
        if found.offset == offset:
            break
        pieces.append(data[offset : found.offset])
        offset = found.offset
    assert b"".join(pieces) == data


@settings(deadline=None)
@given(st.integers(0, 5000), st.integers(1, 400))
def test_length_is_found_by_looking(size: int, step: int) -> None:
    data = b"x" * size
    read = lambda offset: (data[offset : offset + step], min(size, offset + step))  # noqa: E731
    assert logs.length(read, step) == size


def test_running_job_shows_whole_lines_only() -> None:
    data = b"one\nround 1\rround 2\rroun"
    found = logs.piece(lambda offset: (data[offset:], len(data)), 0, ended=False)
    assert found.text == "one\nround 2\n"
    assert data[found.offset :] == b"roun"
    half = b"one\r"
    assert logs.piece(lambda offset: (half[offset:], len(half)), 0, ended=False).text == ""


def test_endless_line_is_shown_as_far_as_it_goes() -> None:
    data = b"x" * (logs.TAIL + 5) + "é".encode()[:1]
    found = logs.piece(lambda offset: (data[offset:], len(data)), 0, ended=False)
    assert len(found.text) == logs.TAIL + 5
    assert found.offset == len(data) - 1


def test_better_is_to_the_right_whatever_the_metric() -> None:
    fine = judgement()
    rows = {row.name: row for row in reports.metrics(fine).rows}
    zero = reports.metrics(fine).zero
    for name in ("mae", "rmse", "r2"):
        bar = rows[name].bar
        assert bar is not None
        assert bar.low > zero
        assert rows[name].relative.startswith("better")


def test_wild_interval_is_cut_and_the_rest_stays_readable() -> None:
    rows = reports.forest(
        [
            reports.Found("mae", 10.0, 9.0, (-1.0, -1.5, -0.5), 0.2, False, "PASS", "", 100),
            reports.Found("mape", 0.01, 9.0, (8.99, 2.0, 16.0), None, False, "FAIL", "", 100),
        ]
    )
    first, wild = rows.rows[0].bar, rows.rows[1].bar
    assert first is not None
    assert wild is not None
    assert wild.cut_low
    assert not first.cut_low
    assert first.high - first.low > 5
    assert first.margin is not None


def test_champion_of_zero_has_no_place_on_the_axis() -> None:
    assert reports.gain(reports.Found("bias", 0.0, 1.0, (1.0, 0.5, 1.5), None, False, "FAIL", "", 9)) is None


def test_metrics_of_another_schema_are_left_out() -> None:
    from dataclasses import asdict

    from lifecycle.verdicts import Verdict

    known = asdict(comparison("mae", 45.1, 38.2, 2.1, Verdict.PASS))
    rows = reports.kept({"mae": known, "odd": {"metric": "odd"}, "older": 3.5})
    assert [row.name for row in rows] == ["mae"]


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_axis_has_a_few_round_numbers(low: float, width: float) -> None:
    span = scales.Span(low, low + width)
    steps = scales.round_steps(span, 4)
    assert len(steps) <= 6
    assert all(span.low - width * 1e-6 <= step <= span.high + width * 1e-6 for step in steps)


def window(month: int, worst: float, verdict: str, run: int, number: int = 1) -> Window:
    since, until = datetime(2025, month, 1, tzinfo=UTC), datetime(2025, month + 1, 1, tzinfo=UTC)
    return Window("octo/bikes", "bike-demand", number, run, since, until, 700, verdict, worst, NOW)


def test_drift_is_shaded_from_the_alarm_until_clean() -> None:
    seen = [
        window(1, 0.0, "CLEAN", 1),
        window(2, 0.5, "ALARM", 2),
        window(3, 0.1, "WARN", 3),
        window(4, 0.0, "CLEAN", 4),
    ]
    assert drifting.times_of_drift(seen, []) == [(seen[1].since, seen[3].since)]
    still = Episode(7, "octo/bikes", "bike-demand", "drift", NOW, 2, 1, None, 1, None)
    assert drifting.times_of_drift(seen, [still]) == [(seen[1].since, seen[3].until)]


def test_chart_of_one_window_and_of_none_that_moved() -> None:
    chart = drifting.chart([window(1, -0.02, "CLEAN", 1)], [])
    assert [point.y for point in chart.points] == [drifting.HEIGHT]
    assert (
        chart.summary
        == "Drift over time: 1 window, 0 with an alarm; the last one is CLEAN with a worst PSI of −0.0200."
    )


def test_chart_marks_where_another_version_was_watched() -> None:
    chart = drifting.chart([window(2, 9.0, "ALARM", 2, number=2), window(1, 0.02, "CLEAN", 1)], [])
    assert [change.label for change in chart.changes] == ["v2"]
    assert chart.points[0].x < chart.changes[0].at < chart.points[1].x
    assert chart.points[1].y < chart.points[0].y
