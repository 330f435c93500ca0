"""/monitor: compare what the model is asked with what it was trained on, now."""

from bot.asking import Ask, Refused, Reply
from bot.grammar import command
from bot.ports import Permission
from lifecycle import Kind, Trouble, read_window


@command(needs=Permission.WRITE)
def monitor(ask: Ask, model: str = "", *, window: str = "") -> Reply:
    """Look for drift now, instead of at the next scheduled time.

    `window=30d` looks at the newest 30 days of requests, `window=2011-04` at a month, and
    `window=2011-04-01..2011-04-15` from one day to another (the last one excluded).
    """
    name, _ = ask.model(model)
    if window:
        try:
            read_window(window)
        except Trouble as trouble:
            raise Refused(str(trouble)) from None
    return Reply(runs=(ask.start(ask.spec(Kind.MONITOR, name, options={"window": window})).id,))
