"""/retrain: a new version from the newest data."""

from bot.asking import Ask, Reply
from bot.grammar import command
from bot.ports import Permission
from lifecycle import Kind, Value


@command(needs=Permission.WRITE)
def retrain(ask: Ask, model: str = "", **params: Value) -> Reply:
    """Train a model again on the data that the default branch has now, and compare it with the one in production.

    On a retrain item the model need not be named. Parameters are written as for `/train`.
    """
    name, _ = ask.model(model)
    return Reply(runs=(ask.start(ask.spec(Kind.RETRAIN, name, params=params)).id,))
