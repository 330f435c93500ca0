"""The validation report: one plain sentence, the comparison, where it got worse, the checks, the plots. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.figures import Figure, figures_of
from bot.figures.found import judgement_of
from bot.figures.mermaid import diagram
from bot.wording.sentences import plain_sentence
from bot.wording.style import Style
from bot.wording.words import cell, name, number, plain, signed
from lifecycle import Check, Comparison, Judgement

__all__ = ["ICONS", "judgement_of", "report"]

ICONS = {"PASS": "✅", "FAIL": "❌", "INCONCLUSIVE": "⚖️", "OK": "✅", "WARN": "⚠️"}
MOST_SLICES = 5
MOST_CHECKS = 6  # that are told in full

FigureUrl = Callable[[str, str], str]  # (figure's name, theme) -> address


def report(judged: Judgement, result: Mapping[str, Any], style: Style, url: FigureUrl | None) -> list[str]:
    """The report's lines above the fold, without its heading, and the plots that are folded."""
    champion = result.get("champion")
    against = f"v{champion} (champion)" if champion else "champion: none"
    lines = [
        plain(plain_sentence(judged, champion), 600),
        "",
        f"| metric | {against} | candidate | difference, 95 % interval | verdict |",
        "|---|--:|--:|--:|---|",
        *(_row(one, bold=one is judged.primary) for one in (judged.primary, *judged.others)),
    ]
    if judged.baseline is not None:
        lines.append(_baseline(judged.baseline))
    lines += _slices(judged)
    lines += _checks(judged.checks)
    return lines + _plots(figures_of(result), style, url)


def _row(one: Comparison, bold: bool) -> str:
    metric = f"**{one.metric}**" if bold else one.metric
    arrow = "↑" if one.greater_is_better else "↓"
    return f"| {metric} {arrow} | {number(one.champion)} | {number(one.candidate)} | {_gap(one)} | {_mark(one, bold)} |"


def _gap(one: Comparison) -> str:
    difference = one.difference
    if difference is None:
        return "–"
    return f"{signed(difference.estimate)} [{signed(difference.low)}, {signed(difference.high)}]"


def _mark(one: Comparison, bold: bool) -> str:
    if bold:
        return f"{_icon(one.verdict)} **{one.verdict}**"
    if one.difference is None:
        return ""
    sure = one.difference.low > 0 or one.difference.high < 0
    return ("better" if one.better else "worse") if sure else "no clear difference"


def _baseline(one: Comparison) -> str:
    """The dummy that answers the same for every row, in the champion's place."""
    values = f"{number(one.champion)} | {number(one.candidate)} | {_gap(one)}"
    words = "beats a dummy" if one.verdict == "PASS" else "no better than a dummy"
    return f"| {one.metric} of a dummy | {values} | {_icon(one.verdict)} {words} |"


def _slices(judged: Judgement) -> list[str]:
    worse = judged.slices[:MOST_SLICES]
    if not worse:
        return []
    more = f" (the worst {MOST_SLICES} of {len(judged.slices)})" if len(judged.slices) > MOST_SLICES else ""
    lines = ["", f"**Where it got worse**{more}", "", "| slice | rows | champion | candidate | difference | |"]
    lines += ["|---|--:|--:|--:|--:|---|"]
    for one in worse:
        difference = f"{signed(one.difference.estimate)} [{signed(one.difference.low)}, {signed(one.difference.high)}]"
        where = f"{cell(name(one.name[:60]))} = {cell(name(one.value[:60]))}"
        values = f"{number(one.champion)} | {number(one.candidate)} | {difference}"
        words = "too much" if one.verdict == "FAIL" else "worth a look"
        lines.append(f"| {where} | {one.rows:,} | {values} | {_icon(one.verdict)} {words} |")
    return lines


def _checks(checks: Sequence[Check]) -> list[str]:
    """All in one row; those that have something to say, say it below."""
    if not checks:
        return []
    ordered = sorted(checks, key=lambda one: ("FAIL", "WARN", "OK").index(one.outcome))
    row = " · ".join(f"{_icon(one.outcome)} {plain(one.name, 40)}" for one in ordered[:20])
    loud = [one for one in ordered if one.outcome != "OK"]
    lines = ["", f"**Checks** {row}"]
    if loud:
        lines += ["", *(f"- {_icon(one.outcome)} {plain(one.sentence, 300)}" for one in loud[:MOST_CHECKS])]
    if len(loud) > MOST_CHECKS:
        lines.append(f"- … and {len(loud) - MOST_CHECKS} more, on the run's page.")
    return lines


def _plots(figures: Sequence[Figure], style: Style, url: FigureUrl | None) -> list[str]:
    if not figures:
        return []
    if style is Style.PLAIN:
        # A sheet of its own colour: such a page may be light or dark, and cannot say which to a picture.
        return ["", " ".join(f"![{plain(one.alt)}]({url(one.name, 'sheet')})" for one in figures)] if url else []
    if url is not None:
        return ["", " ".join(_picture(one, url) for one in figures)]
    first, *others = figures
    drawn = [line for one in others for line in (*diagram(one), "")]
    return ["", *diagram(first), *style.folded("More plots", drawn)]


def _picture(figure: Figure, url: FigureUrl) -> str:
    alt = plain(figure.alt).replace("\\", "").replace('"', "'").replace("&", "and").replace("<", "‹").replace(">", "›")
    dark = f'<source media="(prefers-color-scheme: dark)" srcset="{url(figure.name, "dark")}">'
    return f'<picture>{dark}<img alt="{alt}" src="{url(figure.name, "light")}" width="420" align="top"></picture>'


def _icon(verdict: str) -> str:
    return ICONS.get(verdict, "")
