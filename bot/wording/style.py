"""What a place can render: GitHub folds details and draws Mermaid, Azure DevOps does neither. Pure."""

from collections.abc import Sequence
from enum import StrEnum

MOST_BYTES = 9_000  # of one folded part: all of them together stay far below what platforms take


class Style(StrEnum):
    """How rich a place is."""

    GITHUB = "github"
    PLAIN = "plain"  # Azure Boards and Azure Repos: tables, bold, links and pictures, but no HTML to rely on

    @classmethod
    def of(cls, system: str) -> "Style":
        """The style of the system that a ref names."""
        return cls.GITHUB if system == "github" else cls.PLAIN

    def folded(self, title: str, lines: Sequence[str]) -> list[str]:
        """A part that is there for whoever wants it; nothing for no lines."""
        if not lines:
            return []
        kept = clipped(lines)
        if self is Style.GITHUB:
            return ["", f"<details><summary>{title}</summary>", "", *kept, "", "</details>"]
        return ["", f"**{title}**", "", *kept]

    def small(self, text: str) -> str:
        """A footer."""
        return f"<sub>{text}</sub>" if self is Style.GITHUB else text


def clipped(lines: Sequence[str], most: int = MOST_BYTES) -> list[str]:
    """The first lines that fit."""
    kept: list[str] = []
    left = most
    for line in lines:
        left -= len(line.encode()) + 1
        if left < 0:
            return [*kept, "", "… the rest is on the run's page."]
        kept.append(line)
    return kept
