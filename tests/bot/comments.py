"""Events of an inbox: comments that are told apart by their number."""

from datetime import UTC, datetime

from bot.events import CommentPosted

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def comment(number: int, body: str = "/train") -> CommentPosted:
    return CommentPosted("github:octo/bikes#1", str(number), "ann", False, body, NOON)
