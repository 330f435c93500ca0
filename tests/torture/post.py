"""The post: which webhooks about a command reached the bot and were answered well, and when the first one did."""

import json
import threading

from bot.playground.courier import Attempt
from bot.playground.stage import Stage
from tests.torture.commands import Command


class Post:
    """Reads both couriers' logs as they grow: these keep only the latest attempts."""

    def __init__(self, stage: Stage) -> None:
        self._couriers = (stage.github.world.courier, stage.azure.courier)
        self._seen: set[int] = set()
        self._kept: list[Attempt] = []  # so that no id in `_seen` is used again
        self._comments: dict[str, float] = {}
        self._items: dict[int, list[tuple[int, float]]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._look()

    def acknowledged(self, command: Command) -> float | None:
        """When a delivery that tells of the command was first answered with 2xx; None when none was."""
        if command.ref.startswith("github:"):
            return self._comments.get(command.comment)
        number = int(command.ref.rsplit("/", 1)[1])
        times = [at for revision, at in self._items.get(number, []) if revision >= command.revision]
        return min(times, default=None)

    def _watch(self) -> None:
        while not self._over.wait(1.0):
            self._look()

    def _look(self) -> None:
        for courier in self._couriers:
            for attempt in courier.log:
                if id(attempt) not in self._seen:
                    self._seen.add(id(attempt))
                    self._kept.append(attempt)
                    if attempt.delivered:
                        self._note(attempt)

    def _note(self, attempt: Attempt) -> None:
        at = attempt.at.timestamp() + attempt.seconds
        content = json.loads(attempt.parcel.body)
        if content.get("action") == "created" and "comment" in content:
            self._comments.setdefault(str(content["comment"]["id"]), at)
        elif str(content.get("eventType", "")).startswith("workitem."):
            told = content["resource"]
            number = int(told.get("workItemId") or told["id"])
            revision = int((told.get("revision") or told)["rev"])
            self._items.setdefault(number, []).append((revision, at))
