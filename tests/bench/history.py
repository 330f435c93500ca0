"""A database as after years of use: finished runs with all that belongs to them, inserted in bulk by plain SQL."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from bot.storage import Storage

MODELS = 10  # in as many repositories; every fourth run trains and makes a version, every fortieth promotes one
CHUNK = 50_000  # runs in one transaction
APART = timedelta(minutes=1)  # between one run and the next

# What stands for a column of run i; @ begins a word that is another below, or one of the database's own.
WORDS = {
    "kind": "CASE WHEN i % 4 = 0 THEN 'train' WHEN i % 40 = 3 THEN 'promote' WHEN i % 4 = 3 THEN 'monitor' "
    "ELSE 'validate' END",
    "lane": "CASE WHEN i % 40 = 3 THEN 'deploy' WHEN i % 4 = 3 THEN 'monitor' ELSE 'train' END",
    "state": "CASE WHEN i % 4 = 0 THEN 'succeeded' WHEN i % 10 = 1 THEN 'failed' WHEN i % 17 = 1 THEN 'cancelled' "
    "ELSE 'succeeded' END",
    "stage": "CASE WHEN i % 40 = 3 THEN 'deploy' WHEN i % 4 = 3 THEN 'monitor' WHEN p = 0 THEN 'train' "
    "WHEN p = 1 THEN 'package' ELSE 'validate' END",
    "model": f"'m' || (i / 4 % {MODELS})",
    "project": f"'octo/r' || (i / 4 % {MODELS})",
    "number": f"(i / {4 * MODELS} + 1)",
    "ref": f"CASE WHEN i % 4 = 3 THEN '' ELSE 'github:octo/r' || (i / 4 % {MODELS}) || '#' || (i / 8) END",
    "version": f"'version:octo/r' || (i / 4 % {MODELS}) || '/m' || (i / 4 % {MODELS}) || '/' || @number",
    "sha": "'3f9d2c1b7a5e4f60918273645546372819aabbcc'",
}
SQLITE = {
    "numbers": "WITH RECURSIVE n(i) AS (SELECT @first UNION ALL SELECT i + 1 FROM n WHERE i < @last)",
    "true": "1",
    "false": "0",
    "at": "datetime('@begun', '+' || i || ' minutes') || '.000000'",
    "long": "60000",
    "bytes": "zeroblob(700)",
    "dbos": "",
}
POSTGRESQL = {
    "numbers": "WITH n AS (SELECT generate_series(@first, @last) AS i)",
    "true": "true",
    "false": "false",
    "at": "timestamp '@begun' + i * interval '1 minute'",
    "long": "60000::bigint",
    "bytes": "decode(repeat('00', 700), 'hex')",
    "dbos": "dbos.",
}
MAIN = (
    """INSERT INTO runs (id, key, kind, lane, project, model, "commit", ref, asked_by, params, options, trusted,
    state, ended_yet, verdict, reason, cancelled_by, version, revision, told, created, started, ended) @numbers
    SELECT i, 'github/octo/comment/' || i || '/1', @kind, @lane, @project, @model, @sha, @ref, 'mira',
    '{"max_depth": 6}', '{"policy": "3f9d2c1b7a5e4f60918273645546372819aabbcc"}', @true, @state, @true,
    CASE WHEN i % 10 = 1 THEN 'FAIL' ELSE 'PASS' END, '', '', CASE WHEN i % 4 = 0 THEN @number END, 9, 9, @at, @at, @at
    FROM n""",
    """INSERT INTO stages (run, position, stage, state, attempt, started, ended, note, jobs, result) @numbers
    SELECT i, p, @stage, 'done', 1, @at, @at, '2,142 rows, 104.2 s, 312 MB', '{"fit": "run-1-train-fit-1"}',
    '{"rows": 2142, "verdict": "PASS"}'
    FROM n CROSS JOIN (SELECT 0 AS p UNION ALL SELECT 1 UNION ALL SELECT 2) AS parts WHERE p = 0 OR i % 4 <> 3""",
    """INSERT INTO versions (id, project, model, number, digest, run, "commit", created, verdict, metrics) @numbers
    SELECT i, @project, @model, @number, 'd' || i, i, @sha, @at, 'PASS', '{}' FROM n WHERE i % 4 = 0""",
    """INSERT INTO champions (id, project, model, number, deployment, share, "by", run, at) @numbers
    SELECT i, @project, @model, @number, 'serve', CASE WHEN i % 80 = 3 THEN 100 ELSE 20 END, 'jonas', i, @at
    FROM n WHERE i % 40 = 3""",
    """INSERT INTO windows (id, project, model, number, run, since, until, rows, verdict, worst, report, at) @numbers
    SELECT i, @project, @model, 1, i, @at, @at, 1000, 'CLEAN', 0.05, '{}', @at FROM n
    WHERE i % 4 = 3 AND i % 40 <> 3""",
    """INSERT INTO episodes (id, project, model, cause, opened, opened_by, champion, retrained, clean, closed) @numbers
    SELECT i, @project, @model, 'drift', @at, i, 1, 1, 3, '2020-01-01 00:00:00.000000' FROM n WHERE i % 100 = 7""",
    """INSERT INTO links (a, b, how, at) @numbers
    SELECT @ref, 'run:' || i, 'asked', @at FROM n WHERE i % 4 <> 3""",
    """INSERT INTO links (a, b, how, at) @numbers
    SELECT 'run:' || i, @version, 'made', @at FROM n WHERE i % 4 = 0""",
    """INSERT INTO told (subject, target, digest, revision, url, at) @numbers
    SELECT @ref, 'run-' || i, 'd41d8cd98f00b204e9800998ecf8427e', 9, 'https://github.com/x', @at FROM n
    WHERE i % 4 <> 3""",
)
INBOX = """INSERT INTO inbox (id, kind, body, at, dispatched) @numbers
    SELECT 'github/octo/r/old/' || i, 'CommentPosted', @bytes, @at, 1 FROM n"""
WORKFLOWS = """INSERT INTO @dbosworkflow_status (workflow_uuid, status, name, created_at, updated_at, completed_at,
    executor_id, application_version, recovery_attempts, priority, rate_limited) @numbers
    SELECT 'advance:' || i || '/1', 'SUCCESS', 'advance', @ms, @ms, @ms, 'gone', 'v1', 1, 0, @false FROM n"""


def fill(storage: Storage, first: int, last: int, until: datetime, workflows: bool = False) -> None:
    """Insert the finished runs `first` to `last`, one a minute, so that run `last` ended at `until`.

    With `workflows`, also a finished workflow for each, in the tables that the engine has made.
    """
    words = WORDS | (SQLITE if storage.sqlite else POSTGRESQL)
    begun = until.astimezone(UTC) - last * APART
    words |= {"begun": f"{begun:%Y-%m-%d %H:%M:%S}", "ms": f"({int(begun.timestamp() * 1000)} + i * @long)"}
    for start in range(first, last + 1, CHUNK):
        some = words | {"first": str(start), "last": str(min(start + CHUNK - 1, last))}
        _insert(storage.main, some, *MAIN)
        _insert(storage.inbox, some, INBOX)
    if workflows:
        engine = sa.create_engine(storage.engine_url)
        _insert(engine, words | {"first": str(first), "last": str(last)}, WORKFLOWS)
        engine.dispose()
    if not storage.sqlite:
        _tell_postgresql(storage.main)


def _insert(engine: sa.Engine, words: Mapping[str, str], *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            text = _worded(statement, words)
            connection.exec_driver_sql(text if engine.dialect.name == "sqlite" else text.replace("%", "%%"))


def _worded(text: str, words: Mapping[str, str]) -> str:
    while "@" in text:
        text = re.sub("@(dbos|[a-z]+)", lambda found: words[found[1]], text)
    return text


def _tell_postgresql(engine: sa.Engine) -> None:
    """Its sequences do not know of numbers that we gave; and what autovacuum would do in a while is done now."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in ("runs", "versions", "champions", "windows", "episodes"):
            connection.exec_driver_sql(f"SELECT setval('{table}_id_seq', (SELECT coalesce(max(id), 1) FROM {table}))")
        connection.exec_driver_sql("VACUUM ANALYZE")
