"""/validate: is the commit at hand as good as what is in production?"""

from bot.arguments import code_span
from bot.asking import Ask, Refused, Reply
from bot.grammar import command
from bot.ports import Permission
from lifecycle import Kind, Margin, misfit

MOST_SEEDS = 20


@command(needs=Permission.WRITE)
def validate(
    ask: Ask, model: str = "", *, against: str = "", metric: str = "", margin: str = "", seeds: int = 0
) -> Reply:
    """Train the commit at hand and compare it with the version in production, without keeping it.

    `/validate bike-demand against=v5 metric=mae margin=1%` compares with another version, by another metric, and says
    how much worse is still as good. `seeds=3` trains three candidates and judges their average. On a pull request the
    check of its newest commit tells the result too. Asked again for the same commit, it says whether training repeats.
    """
    name, rules = ask.model(model)
    options: dict[str, object] = {}
    if against:
        options["against"] = ask.version(against, name).number
    if metric:
        options["metric"] = _metric(metric, rules.task)
    if margin:
        options["margin"] = _margin(margin, metric or rules.metric)
    if seeds:
        options["seeds"] = _seeds(seeds)
    if ask.thing.is_pull:
        options["check"] = True
    return Reply(runs=(ask.start(ask.spec(Kind.VALIDATE, name, options=options)).id,))


def _seeds(count: int) -> int:
    if not 1 <= count <= MOST_SEEDS:
        raise Refused(f"`seeds` is how many candidates are trained, from 1 to {MOST_SEEDS}.")
    return count


def _margin(text: str, metric: str) -> str:
    try:
        read = Margin.parse(text)
    except ValueError as error:
        raise Refused(str(error)) from None
    if wrong := misfit(metric, read):
        raise Refused(wrong)
    return text


def _metric(text: str, task: str) -> str:
    from lifecycle import metric_names  # only when asked: it is a list of many

    if text not in metric_names(task):
        raise Refused(f"There is no metric {code_span(text)} for {task}; there are {', '.join(metric_names(task))}.")
    return text
