"""What an answer costs, as the predicting job measured it in the sandbox; the size of the files as we find them."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from lifecycle.jobs import Predictions
from lifecycle.verdicts import Cost

OURS = frozenset(
    {
        "MLmodel",
        "MODEL_CARD.md",
        "manifest.json",
        "measured.json",
        "packages.txt",
        "profile.bin",
        "python_env.yaml",
        "report.json",
        "requirements.txt",
        "signature.json",
        "target.bin",
        "usual.json",
    }
)  # what packaging and validation put beside the model


def cost_of(folder: Path, answered: Predictions) -> Cost:
    """The cost of the model in that package or version folder; zero means that the job did not measure it."""
    size = sum(path.stat().st_size for path in model_files(folder))
    return Cost(
        p95_row_ms=answered.p95_row_ms or None,
        load_seconds=answered.load_seconds or None,
        mb=size / 1e6,
        memory_mb=answered.memory_mb or None,
    )


def model_files(folder: Path) -> list[Path]:
    """The files that training wrote, in order: neither ours nor the repository's code."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [path for path in files if _is_model(path.relative_to(folder))]


def _is_model(path: Path) -> bool:
    return path.parts[0] != "code" and not (len(path.parts) == 1 and path.name in OURS)


def cost_facts(candidate: Cost, champion: Cost | None) -> dict[str, Any]:
    """For a stage's result."""
    return {"candidate": asdict(candidate), "champion": asdict(champion) if champion else None}
