"""What must fit together in app.yaml, beyond what each key allows (pure)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lifecycle.yamlfile import Problem


def check(data: Mapping[str, Any], commands: frozenset[str]) -> Iterator[Problem]:
    """What concerns several keys; `data` may be wrong in any way."""
    github, azure, projects = data.get("github"), data.get("azure_devops"), data.get("projects")
    if github is None and azure is None:
        yield (), "expected github or azure_devops, or both: without either there is nobody to listen to"
    if isinstance(github, dict) and (github.get("token") is None) == (github.get("app") is None):
        yield ("github",), "github: expected either token or app"
    if isinstance(azure, dict) and isinstance(azure.get("webhook"), dict):
        yield from _check_webhook(azure["webhook"])
    permissions = data.get("permissions")
    for name in permissions if commands and isinstance(permissions, dict) else ():
        if name not in commands:
            yield ("permissions", name), f"permissions: there is no command of that name; known are {_list(commands)}"
    there = {"github": github is not None or azure is None, "azure_devops": azure is not None}
    seen: set[str] = set()
    for place, project in enumerate(projects if isinstance(projects, list) else ()):
        if isinstance(project, dict):
            yield from _check_project(project, ("projects", place), seen, there)


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _check_webhook(hook: Mapping[str, Any]) -> Iterator[Problem]:
    where = ("azure_devops", "webhook")
    pairs = [("username", "password"), ("header", "secret")]
    for first, second in pairs:
        if (hook.get(first) is None) != (hook.get(second) is None):
            there, missing = (first, second) if hook.get(second) is None else (second, first)
            yield (*where, there), f"azure_devops.webhook: {there} needs {missing} beside it"
    if all(hook.get(name) is None for pair in pairs for name in pair):
        yield where, "azure_devops.webhook: expected username and password, or header and secret"


def _check_project(
    project: Mapping[str, Any], where: tuple[str, int], seen: set[str], there: Mapping[str, bool]
) -> Iterator[Problem]:
    name = str(project.get("repository")).casefold()
    if project.get("repository") is not None and name in seen:
        yield (*where, "repository"), "projects: this repository stands here twice"
    seen.add(name)
    elsewhere = project.get("forge") == "azure-repos"
    section = "azure_devops" if elsewhere else "github"
    if project.get("repository") is not None and not there[section]:
        yield (*where, "repository"), f"projects: a repository needs the section {section}, which is missing"
    if project.get("board") is not None and not there["azure_devops"]:
        yield (*where, "board"), "projects: a board needs the section azure_devops, which is missing"
    items = project.get("retrain_items")
    if isinstance(items, list):
        if "github" in items and elsewhere:
            yield (*where, "retrain_items"), "projects: retrain_items names github, but this repository is not there"
        if "boards" in items and project.get("board") is None:
            yield (*where, "retrain_items"), "projects: retrain_items names boards, but this project has no board"
        if len(items) != len({str(item) for item in items}):
            yield (*where, "retrain_items"), "projects: retrain_items names the same place twice"
