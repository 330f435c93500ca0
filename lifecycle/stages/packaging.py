"""Package: the trained files as one folder that can be served anywhere, a valid MLflow model."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import yaml

from lifecycle.executors import Job
from lifecycle.jobs import collect
from lifecycle.runs import Run, Stage, StageRecord
from lifecycle.shop import Outcome, Shop, Trouble, part_of, requirements_of

CODE_MB = 10  # the repository's Python files travel with the model, for classes that it defines; not its data
LOADER = "lifecycle_model"
PACKAGES = "packages.txt"  # exactly what was installed beside the model
SEED = "seed-"  # of the parts of a run that train and predict with another seed than the first


def jobs(shop: Shop, run: Run, attempt: int) -> Mapping[str, Job]:  # noqa: ARG001
    """Packaging runs none of the model's code, so it needs no job."""
    return {}


def folder(shop: Shop, run: Run, seed: int = 0) -> Path:
    """Where the package of the run is built; those of further seeds are beside it, for validation only."""
    return shop.folder(run) / (f"package-seed-{seed}" if seed else "package")


def seed_parts(run: Run) -> dict[str, int]:
    """The run's further candidates: the names of their parts, and their seeds."""
    train = run.stage(Stage.TRAIN)
    parts = [part for part in (train.jobs if train else ()) if part.startswith(SEED)]
    return {part: int(part.removeprefix(SEED)) for part in sorted(parts)}


def finish(shop: Shop, run: Run, record: StageRecord) -> Outcome:  # noqa: ARG001
    """Build the packages from what training left behind; building them again makes the same."""
    train = run.stage(Stage.TRAIN)
    if train is None:
        raise Trouble("A run that did not train has nothing to package.")
    for part, seed in {"fit": 0, **seed_parts(run)}.items():
        _build(shop, run, shop.executor.output(part_of(train.jobs, part)), folder(shop, run, seed))
    target = folder(shop, run)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    count = sum(1 for path in target.rglob("*") if path.is_file())
    return Outcome(f"{count} files, {size / 1e6:.1f} MB", {"bytes": size, "files": count})


def _build(shop: Shop, run: Run, output: Path, target: Path) -> None:
    tree, recipe = shop.tree(run), shop.recipe(run)
    shutil.rmtree(target, ignore_errors=True)
    for path in collect(output):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(output / path, target / path)
    (target / "requirements.txt").write_text(requirements_of(tree, recipe), encoding="utf-8")
    copy_code(tree, target / "code")
    columns = [{"name": name, "type": kind} for name, kind in shop.holdout(run).columns.items()]
    (target / "signature.json").write_text(json.dumps({"columns": columns}, indent=1) + "\n", encoding="utf-8")
    if not (target / "MLmodel").is_file():
        _describe(target, run)


def keep_packages(package: Path, packages: Mapping[str, str]) -> None:
    """Note what is installed beside the model, as lines of a requirements file."""
    if packages:
        lines = [f"{name}=={version}\n" for name, version in packages.items()]
        (package / PACKAGES).write_text("".join(lines), encoding="utf-8")


def packages_of(package: Path) -> dict[str, str]:
    """What was installed beside the model of a package or version; empty where nobody noted it."""
    path = package / PACKAGES
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return {name: version for name, _, version in (line.partition("==") for line in lines)}


def copy_code(tree: Path, target: Path) -> None:
    """The repository's Python files, which a model may need to be loaded. Raises Trouble."""
    scripts = [path for path in sorted(tree.rglob("*.py")) if path.is_file() and not path.is_symlink()]
    if sum(path.stat().st_size for path in scripts) > CODE_MB * 1_000_000:
        raise Trouble(f"The repository's Python files are more than {CODE_MB} MB; they travel with every version.")
    for path in scripts:
        copy = target / path.relative_to(tree)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def _describe(target: Path, run: Run) -> None:
    """An MLmodel file: any MLflow can load the folder through the small loader that it names."""
    described = {
        "artifact_path": "model",
        "flavors": {
            "python_function": {
                "loader_module": LOADER,
                "code": "code",
                "data": ".",
                "env": {"virtualenv": "python_env.yaml"},
                "python_version": "3.11.0",
            }
        },
        "model_uuid": f"{run.id:032x}",
        "run_id": run.key[:64],
    }
    (target / "MLmodel").write_text(yaml.safe_dump(described, sort_keys=True), encoding="utf-8")
    environment = {"python": "3.11", "build_dependencies": ["pip"], "dependencies": ["-r requirements.txt"]}
    (target / "python_env.yaml").write_text(yaml.safe_dump(environment, sort_keys=True), encoding="utf-8")
    (target / "code").mkdir(exist_ok=True)
    (target / "code" / f"{LOADER}.py").write_text(LOADER_TEXT, encoding="utf-8")


LOADER_TEXT = '''"""Loads this folder for MLflow: model.skops or model.joblib."""

from pathlib import Path


def _load_pyfunc(path):
    folder = Path(path)
    if (folder / "model.skops").exists():
        import skops.io

        file = folder / "model.skops"
        return skops.io.load(file, trusted=skops.io.get_untrusted_types(file=file))
    import joblib

    return joblib.load(folder / "model.joblib")
'''
