"""What ``python -m lifecycle COMMAND --help`` says, in the order of a manual page."""

from __future__ import annotations

TOP = """\
NAME
  python -m lifecycle - profiles, drift and verdicts on files, for people and for any CI

COMMANDS
  profile   summarise training data once, into a small file
  drift     hold new data against such a profile
  judge     say whether a candidate is as good as the champion, for sure

  python -m lifecycle COMMAND --help tells more about each.

FILES
  Tables are parquet, CSV (.csv, .tsv) or JSON lines (.jsonl), also packed (.csv.gz), also a folder of parquet files.
  CSV is parted by commas, semicolons (also with decimal commas), tabs or bars.
  Anything that fsspec reads (s3://, abfs://, https://) can be given where fsspec is installed.

EXIT STATUS
  0  clean, PASS, or done
  2  nothing could be judged; one sentence on standard error says why
  3  WARN, or INCONCLUSIVE
  4  ALARM, or FAIL
"""

PROFILE = """\
NAME
  python -m lifecycle profile - summarise training data once, into a small file

DESCRIPTION
  Reads DATA once, in bounded memory, and writes counts: 4096 cells and a few sums for a column of numbers, the
  frequent values of a column of text. The file is gzipped JSON, 2 to 4 KB a column; it holds no rows. Points in
  time, identifiers and free text are named in it as not watched. Several files are profiled as one table.
"""

PROFILE_MORE = """\
EXAMPLES
  python -m lifecycle profile train.parquet --out model.profile --exclude target
  python -m lifecycle profile s3://bucket/train/ --out model.profile --exclude target,row_id
"""

DRIFT = """\
NAME
  python -m lifecycle drift - hold new data against the profile of the training data

DESCRIPTION
  A column has moved if the chi-square test says so (p, adjusted by Holm for the number of columns) and the population
  stability index, less what chance alone would give, reaches a threshold. Missing values, values that training did not
  have, values out of training's range, missing columns and columns of another type have rules of their own.
  Under 1 % of windows without drift alarm; docs/verdicts.md has the measurements.
"""

DRIFT_MORE = """\
JSON
  {"verdict": "ALARM", "sentence": ..., "rows": ..., "columns": [{"name": ..., "kind": "numeric" or "category",
  "p": ..., "psi": ..., "psi_corrected": ..., "ks": ..., "verdict": ..., "reason": ...}, ...]}; worst columns first.

EXIT STATUS
  0  CLEAN
  2  nothing could be judged; one sentence on standard error says why
  3  WARN
  4  ALARM

EXAMPLES
  python -m lifecycle drift model.profile yesterday.parquet
  python -m lifecycle drift model.profile log/2026-11-*.jsonl --json
"""

JUDGE = """\
NAME
  python -m lifecycle judge - say whether a candidate is as good as the champion, for sure

DESCRIPTION
  Both models have answered the same held-back rows; the three tables are in the same order, or have a --key. The
  difference of the metric gets the interval that fits it (paired). PASS: certainly not worse by the margin. FAIL:
  certainly worse, and by more than the margin as far as seen. INCONCLUSIVE: these rows cannot tell, and about how many
  would (an equally good candidate passes every second time with so many, four times of five with twice as many).

  LABELS has a column "label" (and may have others, to slice by). CHAMPION and CANDIDATE have a column "prediction":
  a value, a class, or the probability of the positive class; they may have "probability_CLASS" for every class.
"""

JUDGE_MORE = """\
METRICS
  regression      mae mse rmse r2 mape
  classification  accuracy logloss brier auc f1 precision recall balanced_accuracy mcc

JSON
  {"metric": ..., "champion": ..., "candidate": ..., "difference": candidate - champion, "low": ..., "high": ...,
  "margin": ..., "verdict": ..., "rows": ..., "rows_needed": ..., "sentence": ..., "slices": [...], "checks": [...],
  "others": [...], "baseline": ...}

EXIT STATUS
  0  PASS
  2  nothing could be judged; one sentence on standard error says why
  3  INCONCLUSIVE
  4  FAIL

EXAMPLES
  python -m lifecycle judge --labels y.csv --champion old.csv --candidate new.csv --metric auc --margin 0.005
  python -m lifecycle judge --labels y.parquet --champion old.parquet --candidate new.parquet --metric mae \\
      --margin 2% --features rows.parquet --slices region,weekday --blocks day --json
"""
