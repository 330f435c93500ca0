"""Loads a model folder inside the sandbox, whatever wrote it, and gives the model the columns that it was fitted on.

Runs with the model's own packages: standard library at the top, everything else where it is used.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

OURS = "lifecycle_model"  # the loader that packaging names in MLmodel when the model is not MLflow's own


class Unloadable(Exception):
    """The folder holds no model that can be loaded here; one sentence."""


class Unfit(ValueError):
    """The rows lack columns that the model wants; one sentence."""


def load(folder: Path) -> Any:
    """The model: something with `predict`, and perhaps `predict_proba`. Raises Unloadable."""
    described = (folder / "MLmodel").read_text(encoding="utf-8") if (folder / "MLmodel").is_file() else ""
    loader = _field(described, "loader_module")
    code = folder / (_field(described, "code") or "code")
    if code.is_dir():
        sys.path.insert(0, str(code))  # classes that the repository defines are found by their names
    if loader and loader != OURS and importlib.util.find_spec("mlflow"):
        return _by_mlflow(folder, loader)
    for name, read in (("model.skops", _skops), ("model.joblib", _joblib)):
        if (folder / name).is_file():
            return read(folder / name)
    if loader:
        return _without_mlflow(folder, described, loader)
    raise Unloadable("the folder holds neither model.skops nor model.joblib nor a loader that MLmodel names")


def _field(described: str, name: str) -> str:
    """A plain value in MLmodel; the model's environment may have no YAML package."""
    found = re.search(rf"^\s+{name}:\s*['\"]?([^'\"\n]+?)['\"]?\s*$", described, re.MULTILINE)
    return found[1] if found and found[1] != "null" else ""


def _by_mlflow(folder: Path, loader: str) -> Any:
    if loader == "mlflow.sklearn":  # as itself it still has predict_proba
        return importlib.import_module(loader).load_model(str(folder))
    return importlib.import_module("mlflow.pyfunc").load_model(str(folder))


def _without_mlflow(folder: Path, described: str, loader: str) -> Any:
    pickled = _field(described, "pickled_model") or _field(described, "model_path")
    if loader == "mlflow.sklearn" and (folder / pickled).is_file():
        return _skops(folder / pickled) if pickled.endswith(".skops") else _joblib(folder / pickled)
    if importlib.util.find_spec(loader.split(".")[0]) is None:
        raise Unloadable(f"MLmodel names the loader {loader}, which the requirements do not bring")
    data = folder / (_field(described, "data") or ".")
    return importlib.import_module(loader)._load_pyfunc(str(data))


def _skops(path: Path) -> Any:
    io = _need("skops.io", path)
    return io.load(path, trusted=io.get_untrusted_types(file=path))  # the sandbox is what we trust


def _joblib(path: Path) -> Any:
    return _need("joblib", path).load(path)


def _need(package: str, path: Path) -> Any:
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as trouble:
        raise Unloadable(f"{path.name} needs the package {trouble.name}: add it to the requirements") from None


def wanted_columns(model: Any) -> list[str]:
    """The names of the columns that the model was fitted on; empty when it does not tell."""
    names = getattr(model, "feature_names_in_", None)
    return [] if names is None else [str(name) for name in names]


def fitting(model: Any, frame: Any) -> Any:
    """The frame's columns that the model wants, in its order. Raises Unfit naming those that lack."""
    wanted = wanted_columns(model)
    lacking = [name for name in wanted if name not in frame.columns]
    if lacking:
        raise Unfit(f"the model wants columns that are not there: {', '.join(lacking[:20])}")
    return frame[wanted] if wanted else frame


def one_dimensional(predictions: Any) -> Any:
    """Predictions as an array with one value per row. Raises ValueError."""
    import numpy as np

    array = np.asarray(predictions)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(f"the model answers with {array.ndim}-dimensional predictions; one value per row is needed")
    return array
