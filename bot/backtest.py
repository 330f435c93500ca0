"""`lifecycle-bot monitor backtest`: what the watch would have done, on files, before it is switched on."""

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from lifecycle import (
    FILE,
    Asked,
    Failed,
    LocalExecutor,
    Mistakes,
    Model,
    Trouble,
    as_json,
    as_table,
    read_project,
    replay,
)

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


def run(said: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Replay; the exit code."""
    try:
        model = _model(said)
        asked = Asked(tuple(said.data), said.window or model.monitor.window, said.learn, said.labels, said.keep)
        if said.learn < 1:
            raise ValueError("--learn: at least one window must be learnt from.")
    except (Mistakes, ValueError, OSError) as problem:
        print(f"lifecycle-bot monitor: {_sentence(problem)}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="backtest-") as folder:
        root = Path(folder)
        try:
            found = replay(said.model, model, said.repository, asked, LocalExecutor(root, "auto", environ),
                           root / "backtest", lambda text: print(text, file=sys.stderr))  # fmt: skip
        except Trouble as trouble:
            print(f"lifecycle-bot monitor: {trouble}", file=sys.stderr)
            return 1 if isinstance(trouble, Failed) else 2
    print(as_json(found) if said.json else as_table(found))
    return 0


def _sentence(problem: Exception) -> str:
    if not isinstance(problem, ValidationError):
        return str(problem)
    first = problem.errors()[0]
    option = "--" + "-".join(str(part) for part in first["loc"]).replace("_", "-")
    return f"{option}: {first['msg'].removeprefix('Value error, ')}"


def _model(said: argparse.Namespace) -> Model:
    """The model as lifecycle.yaml describes it, with what the command line says instead. Raises ValueError, OSError."""
    where = said.repository / FILE
    if not where.is_file():
        raise ValueError(f"There is no {where}; --repository names the folder of the model repository.")
    models = read_project(where.read_text(encoding="utf-8"), str(where)).models
    if said.model not in models:
        raise ValueError(f"{where} has no model {said.model}; it has {', '.join(sorted(models))}.")
    model = models[said.model]
    changed = {name: getattr(said, name) for name in ("psi_warn", "psi_alarm", "persists") if getattr(said, name)}
    if "psi_alarm" in changed and "psi_warn" not in changed:
        changed["psi_warn"] = min(changed["psi_alarm"], model.monitor.psi_warn)
    monitor = type(model.monitor).model_validate({**model.monitor.model_dump(), **changed})
    found: Model = model.model_copy(update={"monitor": monitor})
    return found
