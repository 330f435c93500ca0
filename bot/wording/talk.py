"""What the bot answers to a person: replies, refusals, apologies."""

from datetime import datetime

from bot.arguments import code_span
from bot.wording.words import moment


def answer(author: str, text: str) -> str:
    """One comment that answers all commands of another; the author is named without being called."""
    return f"{text}\n\n*For {code_span(author)}.*"


def refused(command: str, sentence: str) -> str:
    """Why a command was not carried out, and what to do."""
    return f"**{code_span('/' + command)} was not carried out.** {sentence}"


EDITED = (
    "The comment was edited before I read it, and a command counts only as it was first written. "
    "Please write it in a new comment if it is still meant."
)


GONE = "It had to wait, and the comment that asked for it was taken back meanwhile."


def taken_back(by: str) -> str:
    """A command that a later `/cancel` overtook."""
    return f"{code_span(by)} wrote `/cancel` before I read it."


def broken(what: str, error: BaseException) -> str:
    """We failed, and say so; the log has the rest under the same name."""
    return f"This failed because of a mistake in the bot itself ({type(error).__name__}, in {what}); its log says more."


def gave_up(what: str, error: BaseException) -> str:
    """A command that could not be carried out, however often it was tried."""
    return f"**This was tried several times and did not work.** {broken(what, error)}"


def too_many(most: int, free: datetime) -> str:
    """Somebody has asked for a fair share of what we may write, and for more; said once."""
    return (
        f"**That was a lot.** You have given {most} commands within an hour, which is as many as one person may here. "
        f"This one was not carried out, nor will others be until {moment(free)}; of those I say nothing more. "
        "`/cancel` works always."
    )


def waits(why: str) -> str:
    """A command that is carried out later."""
    return f"**This has to wait.** {why} It will be carried out when that is over; there is nothing to repeat."


def at_last() -> str:
    """A command that had to wait, and whose run tells the rest."""
    return "It had to wait, and is carried out now."
