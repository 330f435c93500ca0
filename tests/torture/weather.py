"""The bad weather: webhooks are dropped, delayed, repeated and reordered, and calls fail before or after their work."""

import random
import threading

from bot.playground.courier import Chaos
from bot.playground.faults import Fault, Faults, Kind
from bot.playground.stage import Stage

FAULTS = (
    Fault(Kind.STATUS, status=500),
    Fault(Kind.STATUS, status=503),
    Fault(Kind.AFTER, status=502),
    Fault(Kind.HANGUP),
    Fault(Kind.HANGUP_AFTER),
    Fault(Kind.SLOW, seconds=1.5),
)


class Weather:
    """From `begin` to `clear`, something is always wrong with both platforms."""

    def __init__(self, stage: Stage, seed: int, pace: float = 0.6) -> None:
        self._stage, self._dice, self._pace = stage, random.Random(f"{seed}/weather"), pace
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._blow, daemon=True)
        self.faults = 0

    def begin(self) -> None:
        seed = self._dice.getrandbits(30)
        chaos = Chaos(drop=0.03, delay=(0.0, 0.05), repeat=0.15, reorder=0.1, seed=seed)
        self._stage.github.world.courier.chaos = chaos
        self._stage.azure.courier.chaos = chaos
        self._thread.start()

    def clear(self) -> None:
        """From now on all is well."""
        self._over.set()
        self._thread.join()
        self._stage.github.world.courier.chaos = None
        self._stage.azure.courier.chaos = None
        for faults in self._both():
            faults.clear()

    def _blow(self) -> None:
        rules: list[tuple[Faults, int]] = []
        while not self._over.wait(self._dice.expovariate(1 / self._pace)):
            faults = self._dice.choices(self._both(), (4, 1))[0]
            rules.append((faults, faults.add(self._dice.choice(FAULTS))))
            self.faults += 1
            while len(rules) > 4:
                old, number = rules.pop(0)
                old.remove(number)

    def _both(self) -> tuple[Faults, Faults]:
        return self._stage.github.faults, self._stage.azure_faults
