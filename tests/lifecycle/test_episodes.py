"""What becomes of an alarm: a new item, the one there was, a remark; and when an item closes itself."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lifecycle.drift import Call, Signal, Standing
from lifecycle.episodes import Size, Step, decide
from lifecycle.monitoring import Monitoring
from lifecycle.watching import Episode, Outcome, Window

NOW = datetime(2026, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)
RULES = Monitoring()
RETRAIN = Standing(Call.RETRAIN, "Columns moved.", 0, 2, Signal.COLUMNS)
COMMENT = Standing(Call.COMMENT, "Columns moved.", 0, 1, Signal.COLUMNS)
NOTHING = Standing(Call.NOTHING, "Nothing moved.", 1, 0)
WORSE = Standing(Call.RETRAIN, "Answers became worse.", 0, 0, Signal.METRIC)
FAILED = {"verdict": "FAIL", "margin": 2.0, "difference": {"estimate": 5.0, "low": 3.0, "high": 7.0}}


def window(verdict: str = "ALARM", *, run: int = 9, number: int = 1, **columns: float) -> Window:
    moved = [{"name": name, "verdict": "ALARM", "psi_corrected": psi} for name, psi in columns.items()]
    report = {"columns": moved}
    return Window("octo/bikes", "m", number, run, NOW - DAY, NOW, 100, verdict, 1.0, NOW, report)


def episode(**more: object) -> Episode:
    known: dict[str, object] = {"closed": None, "retrained": None, "clean": 0, "opened_by": 3, "champion": 1, **more}
    made: Episode = Episode(1, "octo/bikes", "m", "drift", NOW - 9 * DAY, **known)  # type: ignore[arg-type]
    return made


def closed(outcome: Outcome, days: int = 1, **columns: float) -> Episode:
    size = Size("columns", columns).plain()
    return episode(closed=NOW - days * DAY, outcome=outcome, size=size, by="mira")


def test_moved_columns_open_an_item_only_when_they_stay_away():
    assert decide(COMMENT, window(temp=1.0), None, [], RULES, NOW).step is Step.REMARK
    assert decide(RETRAIN, window(temp=1.0), None, [], RULES, NOW).step is Step.OPEN
    assert decide(NOTHING, window("CLEAN"), None, [], RULES, NOW).step is Step.NOTHING


def test_while_an_item_is_open_everything_belongs_to_it():
    for standing in (RETRAIN, COMMENT, WORSE):
        found = decide(standing, window(temp=1.0), episode(), [closed(Outcome.OVER)], RULES, NOW)
        assert (found.step, found.episode) == (Step.KEEP, episode())


@pytest.mark.parametrize("outcome", [Outcome.WONTFIX, Outcome.HAND])
def test_what_nobody_wants_mended_is_remembered_until_it_is_more(outcome: Outcome):
    known = [closed(outcome, temp=1.0, hum=0.5)]
    assert decide(RETRAIN, window(temp=1.2), None, known, RULES, NOW).step is Step.REMARK
    assert "mira" in decide(RETRAIN, window(temp=1.2), None, known, RULES, NOW).sentence
    assert decide(RETRAIN, window(temp=1.3), None, known, RULES, NOW).step is Step.REOPEN
    assert decide(RETRAIN, window(wind=0.3), None, known, RULES, NOW).step is Step.REOPEN
    assert decide(RETRAIN, window(temp=1.0, number=2), None, known, RULES, NOW).step is Step.REOPEN
    worse = replace(window("CLEAN"), performance=FAILED)
    assert decide(WORSE, worse, None, known, RULES, NOW).step is Step.REOPEN


def test_what_returns_soon_is_the_same_item_and_later_a_new_one():
    assert decide(RETRAIN, window(temp=1.0), None, [closed(Outcome.OVER, 13)], RULES, NOW).step is Step.REOPEN
    assert decide(RETRAIN, window(temp=1.0), None, [closed(Outcome.OVER, 15)], RULES, NOW).step is Step.OPEN
    never = RULES.model_copy(update={"reopen": ""})
    assert decide(RETRAIN, window(temp=1.0), None, [closed(Outcome.OVER, 1)], never, NOW).step is Step.OPEN


def test_after_closing_columns_cool_down_and_worse_answers_do_not():
    rules = RULES.model_copy(update={"cool_down": "3d"})
    known = [closed(Outcome.OVER, 2)]
    assert decide(RETRAIN, window(temp=1.0), None, known, rules, NOW).step is Step.REMARK
    assert decide(WORSE, window("CLEAN"), None, known, rules, NOW).step is Step.REOPEN


def test_it_closes_after_clean_windows_of_a_promoted_retrain_each_counted_once():
    clean = window("CLEAN", number=2)
    assert decide(NOTHING, clean, episode(), [], RULES, NOW).step is Step.COUNT
    assert decide(NOTHING, clean, episode(retrained=2), [], RULES, NOW).step is Step.CLOSE
    assert decide(NOTHING, clean, episode(retrained=2, counted=9), [], RULES, NOW).step is Step.NOTHING
    twice = RULES.model_copy(update={"clean_windows": 2})
    assert decide(NOTHING, clean, episode(retrained=2), [], twice, NOW).step is Step.COUNT
    assert decide(NOTHING, clean, episode(retrained=2, clean=1), [], twice, NOW).step is Step.CLOSE


def test_closing_may_be_left_to_people():
    clean = window("CLEAN", number=2)
    assert decide(NOTHING, clean, episode(retrained=2, autoclose=False), [], RULES, NOW).step is Step.COUNT
    left = RULES.model_copy(update={"autoclose": False})
    assert "left to people" in decide(NOTHING, clean, episode(retrained=2), [], left, NOW).sentence


def test_an_item_about_worse_answers_is_not_over_before_their_labels_say_so():
    about = episode(retrained=2, size=Size("metric", {}, 2.0).plain())
    clean = window("CLEAN", number=2)
    assert decide(NOTHING, clean, about, [], RULES, NOW).step is Step.NOTHING
    known = replace(clean, performance={"verdict": "PASS"})
    assert decide(NOTHING, known, about, [], RULES, NOW).step is Step.CLOSE


def test_only_the_number_of_requests_keeps_no_item_open():
    odd = replace(window("WARN", number=2), report={"columns": [{"name": "x", "verdict": "CLEAN"}]})
    assert decide(COMMENT, odd, episode(retrained=2), [], RULES, NOW).step is Step.CLOSE


def test_size_and_severity():
    seen = Size.seen(replace(window(temp=0.3), performance=FAILED), Signal.METRIC)
    assert (seen.metric, seen.severity) == (2.5, 1)
    joined = Size("columns", {"temp": 0.3}).joined(Size("predictions", {"temp": 0.2, "prediction": 2.5}))
    assert (joined.signal, dict(joined.columns)) == ("predictions", {"temp": 0.3, "prediction": 2.5})
    assert [Size("columns", {"x": psi}).severity for psi in (0.3, 0.6, 2.5)] == [4, 3, 2]
    assert [Size("predictions", {"x": psi}).severity for psi in (0.3, 2.5)] == [2, 1]
    assert Size.of(joined.plain()) == joined
