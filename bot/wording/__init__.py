"""Every sentence and table that the bot says (pure): Markdown that GitHub and Azure DevOps both render."""

from bot.wording.drift import drift_back, drift_item, drift_over, remark, severity, snooze_over
from bot.wording.items import card, misspelt, status, stranger
from bot.wording.runs import check_name, run_check, run_comment
from bot.wording.talk import EDITED, GONE, answer, at_last, broken, gave_up, refused, taken_back, too_many, waits

__all__ = [
    "EDITED",
    "GONE",
    "answer",
    "at_last",
    "broken",
    "card",
    "check_name",
    "drift_back",
    "drift_item",
    "drift_over",
    "gave_up",
    "misspelt",
    "refused",
    "remark",
    "run_check",
    "run_comment",
    "severity",
    "snooze_over",
    "status",
    "stranger",
    "taken_back",
    "too_many",
    "waits",
]
