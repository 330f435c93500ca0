"""What monitoring would have done: history replayed with a repository's own training, before it is switched on."""

from lifecycle.backtest.replaying import Asked, Replay, Turn, replay
from lifecycle.backtest.telling import as_json, as_table
from lifecycle.backtest.workshop import Failed

__all__ = ["Asked", "Failed", "Replay", "Turn", "as_json", "as_table", "replay"]
