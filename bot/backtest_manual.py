"""What can be said to `lifecycle-bot monitor backtest`; light, because every command line passes here."""

import argparse
from pathlib import Path

ABOUT = """\
Replays history by windows in the order of time: which of them would have alarmed, and what a retraining would have
gained. The first windows train a version with the repository's own command, in the sandbox; the others are compared
with its profile as the monitor would. Where a retrain item would have opened, a version is trained on everything up to
then and both are scored on the next window; the new one serves from there on. Needs no app.yaml and no account."""

EXAMPLES = """\
examples:
  lifecycle-bot monitor backtest bike-demand --data 'data/*.csv' --window month
  lifecycle-bot monitor backtest churn --data s3://logs/2025/*.parquet --psi-alarm 0.3 --persists '1 of 1' --json

exit codes: 0 replayed, 1 training or scoring failed, 2 the command line, lifecycle.yaml or the data is wrong"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be said."""
    parser.add_argument("action", choices=["backtest"], help="replay history")
    parser.add_argument("model", metavar="MODEL", help="its name in lifecycle.yaml")
    parser.add_argument("--data", nargs="+", required=True, metavar="FILE", help="history with the target: files, "
                        "patterns or URLs")  # fmt: skip
    parser.add_argument("--repository", type=Path, default=Path(), metavar="FOLDER", help="with lifecycle.yaml (here)")
    parser.add_argument("--window", metavar="LENGTH", help="30d, 24h or month (as in lifecycle.yaml)")
    parser.add_argument("--learn", type=int, default=3, metavar="N", help="windows to train on first (3)")
    parser.add_argument("--psi-warn", type=float, metavar="X", help="instead of the one in lifecycle.yaml")
    parser.add_argument("--psi-alarm", type=float, metavar="X", help="instead of the one in lifecycle.yaml")
    parser.add_argument("--persists", metavar="'M of N'", help="instead of the one in lifecycle.yaml")
    parser.add_argument(
        "--labels", action="store_true", help="let the realised metric alarm, as if labels came at once"
    )
    parser.add_argument("--keep", action="store_true", help="go on with the first version whatever happens")
    parser.add_argument("--json", action="store_true", help="print JSON")
