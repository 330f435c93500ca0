"""Whom a candidate is compared with, how old that is, and what else has changed since: code, data, parameters."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from lifecycle.holdout import Holdout
from lifecycle.project import Model
from lifecycle.registry import Version, sha256
from lifecycle.runs import Run
from lifecycle.shop import Shop, full_parameters
from lifecycle.stages import packaging
from lifecycle.workspace import Commit, GitTrouble

MOST = 20  # commits and files that are listed; the rest is counted


def baseline_facts(shop: Shop, version: Version) -> dict[str, Any]:
    """The version that the candidate is compared with: its age and the rows that it learned from."""
    training = shop.registry.manifest(version).get("training", {})
    return {
        "version": version.number,
        "commit": version.commit,
        "run": version.run,
        "trained": version.created.isoformat(),
        "age_days": max((shop.now() - version.created).days, 0),
        "rows": training.get("rows"),
        "trained_on": training.get("trained_on"),
    }


def changed_facts(shop: Shop, run: Run, rules: Model, data: Holdout, version: Version) -> dict[str, Any]:
    """What differs from the baseline: this change's own files, others' since then, data, parameters, packages.

    `here` are the model's files that the commit at hand changes beside the default branch; `others` are changes on the
    default branch since the baseline's commit that touch the model, newest first; `elsewhere` counts those that do not.
    """
    manifest = shop.registry.manifest(version)
    recipe, package = shop.recipe(run), packaging.folder(shop, run)
    known = manifest.get("training", {}).get("data_version")
    facts = {
        "since": version.commit,
        "data": None if known is None else known != data.data_version,
        "parameters": _differences(_parameters(manifest), full_parameters(recipe, run)),
        "requirements": sha256(package / "requirements.txt") != manifest["environment"]["requirements_sha256"],
        "packages": _packages(packaging.packages_of(shop.registry.folder(version)), packaging.packages_of(package)),
    }
    return {**facts, **_code_facts(shop, run, rules, version)}


def _parameters(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = manifest.get("parameters", {})
    return found


def _packages(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, list[Any]]:
    """Packages in other versions; empty where one side is not known."""
    return _differences(old, new) if old and new else {}


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[Any]]:
    names = sorted({*old, *new})
    return {name: [old.get(name), new.get(name)] for name in names if old.get(name) != new.get(name)}


def _code_facts(shop: Shop, run: Run, rules: Model, version: Version) -> dict[str, Any]:
    """From git; what it cannot tell (a history that was rewritten) is left empty: it is no reason to stop."""
    source, policy = shop.source(run.spec.project), str(run.spec.options.get("policy") or run.spec.commit)
    here: Sequence[str] = ()
    since: Sequence[Commit] = ()
    with suppress(GitTrouble):
        here = shop.workspaces.changed_paths(source, policy, run.spec.commit)
        since = shop.workspaces.history(source, version.commit, policy)
    mine = [path for path in here if rules.touches(path)]
    others = [one for one in since if any(rules.touches(path) for path in one.files)]
    listed = [_plain(one, rules) for one in others[:MOST]]
    counts = {"others_count": len(others), "elsewhere": len(since) - len(others), "here_count": len(mine)}
    return {"here": mine[:MOST], "others": listed, **counts}


def _plain(one: Commit, rules: Model) -> dict[str, Any]:
    files = [path for path in one.files if rules.touches(path)]
    plain: dict[str, Any] = json.loads(json.dumps({**asdict(one), "at": one.at.isoformat(), "files": files[:MOST]}))
    return plain
