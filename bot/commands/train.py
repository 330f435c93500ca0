"""/train: a new version of a model from the commit at hand."""

from bot.asking import Ask, Reply
from bot.grammar import command
from bot.ports import Permission
from lifecycle import Kind, Value


@command(needs=Permission.WRITE)
def train(ask: Ask, model: str = "", **params: Value) -> Reply:
    """Train a model, validate it against the one in production and keep it as a version.

    On a pull request its newest commit is trained, elsewhere the default branch. Any `name=value` is handed to the
    training script as a parameter: `/train bike-demand max_depth=6 learning_rate=0.1`.
    """
    name, _ = ask.model(model)
    return Reply(runs=(ask.start(ask.spec(Kind.TRAIN, name, params=params)).id,))
