"""A figure as a Mermaid diagram, for reports whose reader cannot reach our pictures. Pure."""

import re
from typing import assert_never

from bot.figures.found import BAD, GOOD, Bins, Figure, Intervals, percent, shortened

STEPS = 1000  # of the drawn width: Mermaid's Gantt knows whole moments only
FAR = 4.0
# Colours that can be read on white and on black.
INIT = '%%{{init: {{"theme": "base", "themeVariables": {{{variables}}}{more}}}}}%%'
SPECIAL = re.compile(r"[^\w .,=%()+−–…&/'-]")


def diagram(figure: Figure) -> list[str]:
    """The lines of a ```mermaid block."""
    match figure:
        case Intervals():
            drawn = _intervals(figure)
        case Bins():
            drawn = _bins(figure)
        case _:
            assert_never(figure)
    return ["```mermaid", *drawn, "```"]


def _intervals(figure: Intervals) -> list[str]:
    """A Gantt chart whose time is the difference: a bar from end to end of each interval, a line where nothing is."""
    first = figure.rows[0]
    most = max(abs(first.low), abs(first.high), first.margin or 0.0, 1e-6) * FAR
    low = max(-most, min(0.0, *(row.low for row in figure.rows)))
    high = min(most, max(0.0, *(row.high for row in figure.rows)))

    def place(value: float) -> int:
        return START + round(STEPS * (min(high, max(low, value)) - low) / ((high - low) or 1.0))

    variables = ", ".join(f'"{name}": "{value}"' for name, value in GANTT.items())
    lines = [
        INIT.format(
            variables=variables,
            more=', "gantt": {"barHeight": 16, "fontSize": 12, "sectionFontSize": 13, "leftPadding": 330}',
        ),
        "gantt",
        f"  title {_words(figure.title)} (left of the line is worse, right is better)",
        "  dateFormat x",
        "  tickInterval 1week",
        "  todayMarker off",
    ]
    for number, row in enumerate(figure.rows):
        values = f"{percent(row.middle)} ({percent(row.low)} to {percent(row.high)})"
        kind = {GOOD: "active, ", BAD: "crit, "}.get(row.tone, "")
        ends = place(row.low), max(place(row.high), place(row.low) + 1)
        lines += [
            f"  section {_words(f'{shortened(row.name, 22)} {values}')}",
            f"  . :{kind}r{number}, {ends[0]}, {ends[1]}",
        ]
    return [*lines, "  section no change", f"  0 % :vert, zero, {place(0)}, 1ms"]


START = 100_000_000  # far from any week's beginning, where an axis would have a mark
GANTT = {
    "textColor": "#7d8590",
    "titleColor": "#7d8590",
    "taskTextOutsideColor": "#7d8590",
    "taskTextColor": "#6e7781",
    "taskBkgColor": "#6e7781",
    "taskBorderColor": "#6e7781",
    "taskTextDarkColor": "#1a7f37",
    "activeTaskBkgColor": "#1a7f37",
    "activeTaskBorderColor": "#1a7f37",
    "critBkgColor": "#cf222e",
    "critBorderColor": "#cf222e",
    "gridColor": "#7d8590",
    "vertLineColor": "#7d8590",
    "sectionBkgColor": "transparent",
    "sectionBkgColor2": "transparent",
    "altSectionBkgColor": "transparent",
}


def _bins(figure: Bins) -> list[str]:
    """The candidate's line over its bins, between the ends of what most rows did, and what right would be."""
    points = figure.series[0].points
    edges = [] if figure.diagonal else [[point.low for point in points], [point.high for point in points]]
    right = [point.x if figure.diagonal else 0.0 for point in points]
    lines = [[point.y for point in points], right, *edges]
    colours = ["#3b82f6", "#7d8590", "#93b7f5", "#93b7f5"]
    plot = f'"xyChart": {{"plotColorPalette": "{", ".join(colours[: len(lines)])}", {XY}}}'
    words = "blue: candidate, grey: right" + ("" if figure.diagonal else ", pale: middle 80 %")
    labels = ", ".join(f'"{_number(point.x)}"' for point in points)
    return [
        INIT.format(variables=plot, more=', "xyChart": {"height": 300, "titleFontSize": 16}'),
        "xychart-beta",
        f'  title "{_words(figure.name)} ({words})"',
        f'  x-axis "{_words(figure.x)}" [{labels}]',
        f'  y-axis "{_words(figure.y)}"',
        *(f"  line [{', '.join(map(_number, line))}]" for line in lines),
    ]


XY = (
    ", ".join(
        f'"{name}": "#7d8590"'
        for name in (
            "titleColor",
            "xAxisLabelColor",
            "xAxisTitleColor",
            "xAxisTickColor",
            "xAxisLineColor",
            "yAxisLabelColor",
            "yAxisTitleColor",
            "yAxisTickColor",
            "yAxisLineColor",
        )
    )
    + ', "backgroundColor": "#00000000"'
)


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) >= 1e-4 else "0"


def _words(text: str) -> str:
    """Text that is nothing to Mermaid but text."""
    return SPECIAL.sub(" ", shortened(text, 60).replace("%%", "%")).strip() or "–"
