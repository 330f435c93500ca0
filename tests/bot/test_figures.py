"""Figures of a report: what they show, as well-formed pictures and as diagrams that text cannot break out of."""

import xml.etree.ElementTree as Xml
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.figures import Bins, Figure, Intervals, figures_of
from bot.figures.mermaid import diagram
from bot.figures.signing import Signer, figure_path, signer_from
from bot.figures.svg import PAINTS, draw
from bot.keys import key_of
from bot.schema import metadata
from lifecycle import connect
from tests.bot.figures_of_rows import classification, regression

SVG = "{http://www.w3.org/2000/svg}"


def named(figures: tuple[Figure, ...]) -> dict[str, Figure]:
    return {one.name: one for one in figures}


def test_a_regression_has_differences_residuals_and_slices() -> None:
    found = named(figures_of(regression()))
    assert list(found) == ["differences", "slices", "residuals"]
    differences, slices = found["differences"], found["slices"]
    assert isinstance(differences, Intervals)
    assert isinstance(slices, Intervals)
    assert [row.name for row in differences.rows] == ["mae", "rmse", "r2"]
    assert {row.tone for row in differences.rows} == {"bad"}
    assert slices.rows[0].name == "all rows"
    assert slices.rows[1].tone == "bad"
    assert "worse" in differences.alt


def test_better_is_to_the_right_whatever_the_metric() -> None:
    differences = figures_of(regression(worse=-0.3))[0]
    assert isinstance(differences, Intervals)
    assert all(row.low > 0 for row in differences.rows)


def test_a_classification_has_calibration_and_its_axes_are_alike() -> None:
    calibration = named(figures_of(classification()))["calibration"]
    assert isinstance(calibration, Bins)
    assert calibration.diagonal
    assert [series.name for series in calibration.series] == ["candidate", "champion"]


@pytest.mark.parametrize("result", [{}, {"judgement": {"schema": 99}}, {"judgement": None}, {"plots": {"slices": 3}}])
def test_what_another_version_stored_has_no_figures(result: dict[str, object]) -> None:
    assert figures_of(result) == ()


def test_older_runs_without_facts_for_plots_still_show_their_differences() -> None:
    older = regression()
    del older["plots"]
    assert [one.name for one in figures_of(older)] == ["differences"]


def test_plots_that_this_version_cannot_read_leave_the_rest() -> None:
    odd = regression() | {"plots": {"residuals": {"candidate": [{"predicted": "x"}] * 3}, "slices": []}}
    assert [one.name for one in figures_of(odd)] == ["differences"]


@pytest.mark.parametrize("theme", list(PAINTS))
@pytest.mark.parametrize("result", [regression(), regression(worse=0.0), classification()], ids="wuc")
def test_pictures_are_well_formed_and_do_nothing(theme: str, result: dict[str, object]) -> None:
    for figure in figures_of(result):
        text = draw(figure, theme)
        root = Xml.fromstring(text)
        assert root.tag == f"{SVG}svg"
        tags = {one.tag.removeprefix(SVG) for one in root.iter()}
        assert tags <= {"svg", "title", "g", "rect", "line", "text", "path", "circle", "polyline", "polygon"}
        assert not [name for one in root.iter() for name in one.attrib if name in ("style", "href", "onload")]
        assert "nan" not in text.lower().replace("dominant", "")
        assert len(text) < 40_000


def test_diagrams_hold_text_from_outside_as_text() -> None:
    lines = [line for figure in figures_of(regression()) for line in diagram(figure)]
    assert lines.count("```mermaid") == lines.count("```") == 3
    inside = [line for line in lines if not line.startswith(("```", "%%{init: {"))]
    assert not [line for line in inside if any(part in line for part in ("<", "`", "%%", "\n", ";"))]
    assert [line for line in lines if line.startswith("  section all rows")]


def test_a_signature_is_for_one_path_and_one_key() -> None:
    signer, path = Signer(b"a" * 32), figure_path(12, "differences", "dark")
    whole = signer.signed(path)
    given = whole.partition("?signature=")[2]
    assert signer.knows(path, given)
    assert not signer.knows(figure_path(13, "differences", "dark"), given)
    assert not Signer(b"b" * 32).knows(path, given)
    for wrong in ("", "x", given[:-1], given + "=", "ü\ud800"):
        assert not signer.knows(path, wrong)
    assert "aaaa" not in repr(signer)
    assert "aaaa" not in whole


def test_the_key_is_made_once_for_all(tmp_path: Path) -> None:
    engine, other = (connect(f"sqlite:///{tmp_path / 'it.db'}") for _ in range(2))
    metadata.create_all(engine)
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda n: key_of(engine if n % 2 else other, "figures"), range(16)))
    assert len(made) == 1
    assert len(made.pop()) == 32
    assert key_of(engine, "figures") != key_of(engine, "others")
    assert signer_from("a secret of some length").key != key_of(engine, "figures")
    engine.dispose()
    other.dispose()
