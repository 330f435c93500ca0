"""/help: what can be asked for."""

from bot.asking import Ask, Reply
from bot.grammar import command, help_text
from bot.ports import Permission


@command(needs=Permission.NONE, name="help")
def help_(ask: Ask, command: str = "") -> Reply:  # noqa: ARG001
    """List the commands, or explain one: `/help train`."""
    from bot.commands import COMMANDS  # the list holds this command too

    return Reply(help_text(COMMANDS, command or None))
