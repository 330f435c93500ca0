"""/validate: is the commit at hand as good as what is in production?"""

from bot.asking import Ask, Refused, Reply
from bot.grammar import command
from bot.ports import Permission
from lifecycle import Kind, Margin


@command(needs=Permission.WRITE)
def validate(ask: Ask, model: str = "", *, against: str = "", metric: str = "", margin: str = "") -> Reply:
    """Train the commit at hand and compare it with the version in production, without keeping it.

    `/validate bike-demand against=v5 metric=mae margin=1%` compares with another version, by another metric, and says
    how much worse is still as good. On a pull request the check of its newest commit tells the result too.
    """
    name, rules = ask.model(model)
    options: dict[str, object] = {}
    if against:
        options["against"] = ask.version(against, name).number
    if metric:
        options["metric"] = _metric(metric, rules.task)
    if margin:
        options["margin"] = _margin(margin)
    if ask.thing.is_pull:
        options["check"] = True
    return Reply(runs=(ask.start(ask.spec(Kind.VALIDATE, name, options=options)).id,))


def _margin(text: str) -> str:
    try:
        Margin.parse(text)
    except ValueError as error:
        raise Refused(str(error)) from None
    return text


def _metric(text: str, task: str) -> str:
    from lifecycle import metric_names  # only when asked: it is a list of many

    if text not in metric_names(task):
        raise Refused(f"There is no such metric for {task}; there are {', '.join(metric_names(task))}.")
    return text
