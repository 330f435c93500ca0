"""The figures of a report: what they show (pure), as SVG, as Mermaid, and at an address that nobody can make up."""

from bot.figures.found import Bins, Figure, Intervals, Point, Reach, Series, figures_of

__all__ = ["Bins", "Figure", "Intervals", "Point", "Reach", "Series", "figures_of"]
