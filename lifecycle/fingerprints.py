"""What went into trainings and what came out, as digests: the same inputs are found again, and how they spread."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError

from lifecycle.schema import fingerprints

NEWEST = 100  # trainings that say how large the spread is


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """One trained candidate. `inputs`: sha256 of all that went in, but for the seed; `files` and `answers`: of what
    came out. `value` is its `metric` on the held-back rows."""

    run: int
    seed: int
    project: str
    model: str
    inputs: str
    files: str
    answers: str
    metric: str
    value: float


class Fingerprints:
    """Reads and writes fingerprints. Safe for threads and processes."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def note(self, found: Fingerprint) -> None:
        """Keep it; the same run and seed twice is once."""
        values = {name: getattr(found, name) for name in Fingerprint.__dataclass_fields__}
        try:
            with self.engine.begin() as connection:
                connection.execute(insert(fingerprints).values(**values))
        except IntegrityError:
            return

    def same_inputs(self, mine: Fingerprint) -> Fingerprint | None:
        """The newest earlier one with the same inputs and seed."""
        table = fingerprints.c
        query = select(fingerprints).where(
            table.project == mine.project, table.model == mine.model, table.inputs == mine.inputs
        )
        query = query.where(table.seed == mine.seed, table.run < mine.run).order_by(table.run.desc()).limit(1)
        with self.engine.connect().execution_options(read_only=True) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Fingerprint(*(getattr(row, name) for name in Fingerprint.__dataclass_fields__))

    def repeated(self, project: str, model: str, metric: str, before: int) -> Sequence[Sequence[float]]:
        """The metric of the newest trainings before that run whose inputs were the same but for the seed, in groups.

        The same seed with the same outcome counts once: that it repeats does not say what another seed would do.
        """
        table = fingerprints.c
        query = select(table.inputs, table.seed, table.value).where(
            table.project == project, table.model == model, table.metric == metric
        )
        query = query.where(table.run < before).order_by(table.run.desc(), table.seed).limit(NEWEST)
        groups: dict[str, set[tuple[int, float]]] = defaultdict(set)
        with self.engine.connect().execution_options(read_only=True) as connection:
            for row in connection.execute(query):
                groups[row.inputs].add((row.seed, row.value))
        return [[value for _, value in sorted(found)] for found in groups.values() if len(found) > 1]
