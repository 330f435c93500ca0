"""A figure as an SVG picture for light or dark pages, without style sheet, script or font of its own. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import assert_never

from bot.figures.found import BAD, FAR, Bins, Figure, Intervals, Point, Reach, percent, shortened
from bot.web.scales import Span, around, round_steps

WIDTH, LEFT, RIGHT, ROW, HEAD, FOOT = 420, 12, 12, 38, 52, 30
FONT = "-apple-system,BlinkMacSystemFont,'Segoe UI','Noto Sans',Helvetica,Arial,sans-serif"
PLANE = 210  # height of a plot with two axes


@dataclass(frozen=True, slots=True)
class Paint:
    """Colours by their part; `ground` is empty where the page shines through."""

    ink: str
    quiet: str
    line: str
    shade: str
    good: str
    bad: str
    calm: str
    candidate: str
    champion: str
    ground: str = ""

    def tone(self, name: str) -> str:
        """The colour of good, bad or neither."""
        return {"good": self.good, "bad": self.bad}.get(name, self.calm)


PAINTS = {
    "light": Paint("#1f2328", "#59636e", "#d1d9e0", "#818b9829", "#1a7f37", "#cf222e", "#59636e", "#0969da", "#bc4c00"),
    "dark": Paint("#f0f6fc", "#9198a1", "#3d444d", "#656c7666", "#3fb950", "#f85149", "#9198a1", "#4493f8", "#f0883e"),
    # For places that may be light or dark and cannot say which: a sheet of its own.
    "sheet": Paint(
        "#1f2328", "#59636e", "#d1d9e0", "#eaeef2", "#1a7f37", "#cf222e", "#59636e", "#0969da", "#bc4c00", "#ffffff"
    ),
    "page": Paint(
        "var(--ink)", "var(--quiet)", "var(--line)", "var(--calm-soft)", "var(--good)", "var(--bad)", "var(--calm)",
        "var(--link)", "var(--warn)",
    ),
}  # fmt: skip


def draw(figure: Figure, theme: str) -> str:
    """The picture as text; `theme` is one of PAINTS."""
    paint = PAINTS[theme]
    match figure:
        case Intervals():
            height, parts = _intervals(figure, paint)
        case Bins():
            height, parts = _bins(figure, paint)
        case _:
            assert_never(figure)
    sheet = f'<rect width="{WIDTH}" height="{height}" rx="8" fill="{paint.ground}"/>' if paint.ground else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" font-family="{FONT}" font-size="13"><title>{escape(figure.alt)}</title>'
        f"{sheet}{''.join(parts)}</svg>"
    )


def _intervals(figure: Intervals, paint: Paint) -> tuple[int, list[str]]:
    span = _span(figure.rows)
    height = HEAD + ROW * len(figure.rows) + FOOT
    parts = [_text(LEFT, 22, figure.title, paint.ink, bold=True)]
    parts += [_text(LEFT, 40, "← worse", paint.quiet), _text(WIDTH - RIGHT, 40, "better →", paint.quiet, "end")]
    for number, row in enumerate(figure.rows):
        parts += _row(row, HEAD + ROW * number, span, paint)
    for value in round_steps(span, 4):
        parts.append(_text(_across(span, value), height - 12, percent(value), paint.quiet, "middle", small=True))
    return height, parts


def _row(row: Reach, top: int, span: Span, paint: Paint) -> list[str]:
    colour, y = paint.tone(row.tone), top + 27
    values = f"{percent(row.middle)}  ({percent(row.low)} to {percent(row.high)})"
    said = f"{row.name}: {values}" + (f", {row.rows:,} rows" if row.rows else "")
    return [
        f"<g><title>{escape(said)}</title>",
        f'<rect x="0" y="{top}" width="{WIDTH}" height="{ROW}" fill="none" pointer-events="all"/>',
        _text(LEFT, top + 14, shortened(row.name, 30), paint.ink),
        _text(WIDTH - RIGHT, top + 14, values, paint.quiet, "end", small=True),
        *_ruled(row, top + 18, span, paint),
        *_bar(row, y, span, colour),
        "</g>",
    ]


def _ruled(row: Reach, top: int, span: Span, paint: Paint) -> list[str]:
    """The row's part of the axis: round values, the margin, and where nothing changes."""
    zero, low = _across(span, 0), top + 18
    parts = [_line(_across(span, value), top, _across(span, value), low, paint.line) for value in round_steps(span, 4)]
    if row.margin:
        left = _across(span, -row.margin)
        parts.append(
            f'<rect x="{left:.1f}" y="{top}" width="{zero - left:.1f}" height="18" fill="{paint.shade}">'
            f"<title>the margin: up to {escape(percent(row.margin))} worse is as good</title></rect>"
        )
    return [*parts, _line(zero, top, zero, low, paint.quiet, 1.5)]


def _bar(row: Reach, y: int, span: Span, colour: str) -> list[str]:
    low, middle, high = (_across(span, value) for value in (row.low, row.middle, row.high))
    mark = _square(middle, y, colour) if row.tone == BAD else _diamond(middle, y, colour)
    return [
        _line(low, y, high, y, colour, 2.5),
        _end(low, y, span.holds(row.low), 1, colour),
        _end(high, y, span.holds(row.high), -1, colour),
        mark if span.holds(row.middle) else "",
    ]


def _across(span: Span, value: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * span.at(value) / 100


def _span(rows: Sequence[Reach]) -> Span:
    first = rows[0]
    reach = max(abs(first.low), abs(first.high), 2 * (first.margin or 0.0), 1e-6) * FAR
    ends = [end for row in rows for end in (row.low, row.high)] + [-(first.margin or 0.0)]
    return around(min(reach, max(-reach, end)) for end in ends)


def _bins(figure: Bins, paint: Paint) -> tuple[int, list[str]]:
    across, up = _axes(figure)
    left, top, wide = 56, HEAD + 16, WIDTH - 56 - RIGHT
    bottom = top + PLANE

    def x(value: float) -> float:
        return left + wide * across.at(value) / 100

    def y(value: float) -> float:
        return bottom - PLANE * up.at(value) / 100

    parts = [_text(LEFT, 22, figure.title, paint.ink, bold=True), *_legend(figure, paint)]
    for value in round_steps(up, 4):
        parts.append(_line(left, y(value), WIDTH - RIGHT, y(value), paint.line))
        parts.append(_text(left - 6, y(value) + 4, short(value), paint.quiet, "end", small=True))
    for value in round_steps(across, 5):
        parts.append(_text(x(value), bottom + 17, short(value), paint.quiet, "middle", small=True))
    ideal = (across.low, across.high) if figure.diagonal else (0.0, 0.0)
    right = _line(x(across.low), y(ideal[0]), x(across.high), y(ideal[1]), paint.quiet, 1.5)
    parts.append(right.replace("/>", ' stroke-dasharray="5 4"/>'))
    for series in reversed(figure.series):
        colour = paint.candidate if series.name == "candidate" else paint.champion
        parts += _curve(series.points, [(x(p.x), y(p.low), y(p.y), y(p.high)) for p in series.points], colour, figure)
    parts.append(_text(left + wide / 2, bottom + 36, figure.x, paint.quiet, "middle", small=True))
    parts.append(_text(left, top - 4, f"↑ {figure.y}", paint.quiet, small=True))
    return bottom + 46, parts


def _axes(figure: Bins) -> tuple[Span, Span]:
    points = [point for series in figure.series for point in series.points]
    heights = [end for point in points for end in (point.low, point.high)]
    if figure.diagonal:  # both axes alike, so that the diagonal is one
        top = min(1.0, max([*heights, *(point.x for point in points)]) * 1.05)
        return Span(0.0, top), Span(0.0, top)
    low, high = min(point.x for point in points), max(point.x for point in points)
    room = (high - low) * 0.04 or 1.0
    return Span(low - room, high + room), around(heights)


def _curve(
    points: Sequence[Point], places: Sequence[tuple[float, float, float, float]], colour: str, figure: Bins
) -> list[str]:
    """The candidate and the champion alike: the middle 80 % as a band, or each share with its interval."""
    whole = " ".join(f"{x:.1f},{y:.1f}" for x, _, y, _ in places)
    parts = [f'<polyline points="{whole}" fill="none" stroke="{colour}" stroke-width="2"/>']
    if not figure.diagonal:
        edge = [(x, high) for x, _, _, high in places] + [(x, low) for x, low, _, _ in reversed(places)]
        band = " ".join(f"{x:.1f},{y:.1f}" for x, y in edge)
        parts.insert(0, f'<polygon points="{band}" fill="{colour}" fill-opacity="0.16"/>')
    for point, (x, low, y, high) in zip(points, places, strict=True):
        said = f"{figure.x} {short(point.x)}: {figure.y} {short(point.y)} ({short(point.low)} to {short(point.high)})"
        bar = _line(x, low, x, high, colour, 1.5) if figure.diagonal else ""
        dot = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>'
        touch = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="12" fill="none" pointer-events="all"/>'
        parts.append(f"<g><title>{escape(said)}, {point.rows:,} rows</title>{touch}{bar}{dot}</g>")
    return parts


def _legend(figure: Bins, paint: Paint) -> list[str]:
    parts, left = [], LEFT
    for series in figure.series:
        colour = paint.candidate if series.name == "candidate" else paint.champion
        parts.append(f'<circle cx="{left + 5}" cy="36" r="4" fill="{colour}"/>')
        parts.append(_text(left + 14, 40, series.name, paint.quiet))
        left += 96
    return parts


def short(value: float) -> str:
    """A value of an axis with three digits at most; a real minus sign."""
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) > 1e-12 else "0"
    return text.replace("-", "−")


def _text(
    x: float, y: float, text: str, fill: str, anchor: str = "start", *, bold: bool = False, small: bool = False
) -> str:
    weight, size = ' font-weight="600"' if bold else "", ' font-size="12"' if small else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{fill}" text-anchor="{anchor}"{weight}{size}>{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, stroke: str, width: float = 1.0) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{stroke}" stroke-width="{width}"/>'


def _end(x: float, y: float, inside: bool, way: int, colour: str) -> str:
    """A stop where the interval ends, an arrow where it goes on beyond the edge."""
    path = f"M{x:.1f} {y - 5}v10" if inside else f"M{x + 7 * way:.1f} {y - 5}L{x:.1f} {y}L{x + 7 * way:.1f} {y + 5}"
    return f'<path d="{path}" stroke="{colour}" stroke-width="2" fill="none"/>'


def _diamond(x: float, y: float, colour: str) -> str:
    return f'<path d="M{x - 5:.1f} {y}L{x:.1f} {y - 5}L{x + 5:.1f} {y}L{x:.1f} {y + 5}Z" fill="{colour}"/>'


def _square(x: float, y: float, colour: str) -> str:
    return f'<rect x="{x - 4:.1f}" y="{y - 4}" width="8" height="8" fill="{colour}"/>'
