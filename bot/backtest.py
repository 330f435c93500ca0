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
