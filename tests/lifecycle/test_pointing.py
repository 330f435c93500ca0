"""Where findings come from: the line of the rule, of the column in the script, of the crash."""

from dataclasses import replace

import pyarrow as pa

from lifecycle import Mistakes, read_project
from lifecycle.pointing import crash, findings, lines_with, mistakes
from lifecycle.verdicts import Check, Outcome, Verdict, data_checks
from tests.web.findings import comparison, judgement

RULES = """\
models:
  line:
    task: regression
    target: y
    data: data/*.csv
    train: python train.py
    requirements: requirements.txt
    validate:
      metric: mae
      margin: 2%
      at_most: 40
      slices: [weathersit]
"""
SCRIPT = 'import pandas as pd\nX = ["temp", "paid"]\nrows = pd.read_parquet("x")\nrows.paid.mean()\n# paid by card\n'


def test_a_worse_metric_points_at_its_margin_and_a_worse_slice_at_the_slices() -> None:
    found = list(findings(judgement(Verdict.FAIL, 45.1, 55.6), "line", RULES, {}))
    assert [(one.path, one.line, one.level) for one in found] == [
        ("lifecycle.yaml", 10, "failure"),
        ("lifecycle.yaml", 12, "failure"),
    ]
    assert "mae" in found[0].title
    assert "light rain" in found[1].title


def test_an_undecided_metric_is_a_warning_and_a_good_one_is_nothing() -> None:
    (unsure,) = findings(judgement(Verdict.INCONCLUSIVE, 45.1, 44.9), "line", RULES, {})
    assert unsure.level == "warning"
    assert not list(findings(judgement(Verdict.PASS, 45.1, 38.2), "line", RULES, {}))


def test_a_rule_that_is_not_written_points_at_the_section_that_would_have_it() -> None:
    improve = comparison("mae", 45.1, 45.0, 2.1, Verdict.FAIL)
    improve = replace(improve, reason="mae fell; an improvement is required.")
    (one,) = findings(replace(judgement(), primary=improve), "line", RULES, {})
    assert one.line == 8


def test_a_limit_that_was_not_kept_points_at_itself() -> None:
    over = Check("limits", Outcome.FAIL, "mae is 44.0; at most 40.0 is asked.")
    (one,) = findings(replace(judgement(), checks=(over,)), "line", RULES, {})
    assert (one.line, one.message) == (11, over.sentence)


def leakage(**columns: list[float]) -> Check:
    """What the data check itself says of such columns."""
    truth = [float(n % 97) for n in range(400)]
    table = pa.table({"y": truth, "noise": [float(n * 7919 % 101) for n in range(400)], **columns})
    found = data_checks(table.slice(0, 200), table.slice(200), "y", "regression")
    return next(one for one in found if one.name == "leakage")


def test_columns_that_give_the_answer_away_are_found_in_the_script() -> None:
    same = [float(n % 97) for n in range(400)]
    for check in (leakage(paid=same), leakage(paid=same, temp=[2 * one for one in same])):
        judged = replace(judgement(), checks=(check,))
        found = list(findings(judged, "line", RULES, {"train.py": SCRIPT}))
        assert ("train.py", 2) in {(one.path, one.line) for one in found if "paid" in one.title}
        assert {one.level for one in found} == {"warning"}
    (elsewhere,) = findings(replace(judgement(), checks=(leakage(unnamed=same),)), "line", RULES, {"train.py": SCRIPT})
    assert (elsewhere.path, elsewhere.line) == ("lifecycle.yaml", 5)
    assert not list(findings(replace(judgement(), checks=(leakage(),)), "line", RULES, {"train.py": SCRIPT}))


def test_a_column_is_named_by_quotes_or_as_an_attribute_only() -> None:
    assert lines_with(SCRIPT, "paid") == [2, 4]
    assert lines_with(SCRIPT, "read_parquet(") == []
    assert lines_with(SCRIPT, ".*") == []


def test_a_crash_points_at_the_deepest_line_of_the_repository() -> None:
    log = (
        'Traceback (most recent call last):\n  File "/tmp/x/old.py", line 1\nValueError: an old one\nagain\n'
        "Traceback (most recent call last):\n"
        '  File "/lifecycle-job/work/train.py", line 4, in <module>\n    rows.paid.mean()\n'
        '  File "/lifecycle-job/work/lib/helper.py", line 2, in mean\n    ...\n'
        '  File "/usr/lib/python3/site-packages/pandas/core.py", line 900, in mean\n    raise\n'
        "AttributeError: no column paid\n"
    )
    (one,) = crash(log, {"train.py": SCRIPT}, {}.get)
    assert (one.path, one.line, one.message) == ("train.py", 4, "AttributeError: no column paid")
    assert crash("no trace here", {"train.py": SCRIPT}, {}.get) == ()
    assert crash(log.replace("line 4", "line 4000"), {"train.py": SCRIPT}, {}.get) == ()


def test_every_mistake_points_at_its_line() -> None:
    try:
        read_project(RULES.replace("target: y", "target: [y]"))
    except Mistakes as wrong:
        (one,) = mistakes(wrong)
    assert (one.path, one.line, one.level) == ("lifecycle.yaml", 4, "failure")
