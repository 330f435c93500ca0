"""Rows of the database as runs and stages, and back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from lifecycle.runs import Kind, Run, Spec, Stage, StageRecord, StageState, State, lane
from lifecycle.schema import stages


def stages_of(connection: Connection, numbers: Sequence[int]) -> dict[int, tuple[StageRecord, ...]]:
    """The stages of these runs, in order."""
    found: dict[int, list[StageRecord]] = {number: [] for number in numbers}
    for row in connection.execute(select(stages).where(stages.c.run.in_(numbers)).order_by(stages.c.position)):
        record = StageRecord(
            stage=Stage(row.stage),
            state=StageState(row.state),
            attempt=row.attempt,
            started=row.started,
            ended=row.ended,
            note=row.note,
            jobs=row.jobs,
            result=row.result,
        )
        found[row.run].append(record)
    return {number: tuple(records) for number, records in found.items()}


def columns_of(spec: Spec, key: str, now: datetime) -> dict[str, Any]:
    return {
        "key": key,
        "kind": spec.kind,
        "lane": lane(spec.kind),
        "project": spec.project,
        "model": spec.model,
        "commit": spec.commit,
        "ref": spec.ref,
        "asked_by": spec.asked_by,
        "params": dict(spec.params),
        "options": dict(spec.options),
        "wanted": spec.version,
        "trusted": spec.trusted,
        "state": State.WAITING,
        "ended_yet": False,
        "created": now,
    }


def run_of(row: Row[Any], records: tuple[StageRecord, ...]) -> Run:
    spec = Spec(
        kind=Kind(row.kind),
        project=row.project,
        model=row.model,
        commit=row.commit,
        ref=row.ref,
        asked_by=row.asked_by,
        params=row.params,
        options=row.options,
        version=row.wanted,
        trusted=row.trusted,
    )
    return Run(
        id=row.id,
        key=row.key,
        spec=spec,
        state=State(row.state),
        stages=records,
        created=row.created,
        started=row.started,
        ended=row.ended,
        verdict=row.verdict,
        reason=row.reason,
        cancelled_by=row.cancelled_by,
        version=row.version,
        revision=row.revision,
        told=row.told,
        host=row.host,
        tenure=row.tenure,
    )
