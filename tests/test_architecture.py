"""Who may import whom, and how large things may be: read from the code itself, with no exemption."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted(path for top in ("bot", "lifecycle") for path in (ROOT / top).rglob("*.py"))
FOREIGN = {"github": "PyGithub", "azure": "azure-devops", "msrest": "azure-devops"}
PLATFORMS = ("bot", "flask", "github", "azure", "apscheduler")
PURE = (
    "bot/events.py", "bot/grammar.py", "bot/arguments.py", "bot/asked.py", "bot/trust.py", "bot/wording/",
    "lifecycle/runs.py", "lifecycle/verdicts/", "lifecycle/drift/",
)  # fmt: skip
IO = ("requests", "urllib.request", "socket", "http", "sqlalchemy", "subprocess", "github", "azure", "flask", "dbos")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it, as an absolute dotted name."""
    package = path.relative_to(ROOT).with_suffix("").parts
    package = package[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def within(module: str, *tops: str) -> bool:
    return any(module == top or module.startswith(f"{top}.") for top in tops)


def breaches(rule: str, files: list[Path], *forbidden: str) -> list[str]:
    return [
        f"{name_of(path)} imports {module}: {rule}"
        for path in files
        for module in imports(path)
        if within(module, *forbidden)
    ]


def under(*places: str) -> list[Path]:
    return [path for path in FILES if name_of(path).startswith(places)]


def test_the_lifecycle_knows_no_platform() -> None:
    assert not breaches("lifecycle knows no platform", under("lifecycle/"), *PLATFORMS)


def test_the_bot_uses_only_the_public_names_of_the_lifecycle() -> None:
    public = {"lifecycle", "lifecycle.yamlfile"}  # the YAML reader is shared by app.yaml and lifecycle.yaml
    files = [path for path in under("bot/") if name_of(path) not in ("bot/app.py",)]
    import lifecycle

    allowed = public | {f"lifecycle.{name}" for name in lifecycle.__all__}
    wrong = [
        f"{name_of(path)} imports {module}"
        for path in files
        for module in imports(path)
        if within(module, "lifecycle") and module not in allowed and not within(module, "lifecycle.yamlfile")
    ]
    assert not wrong


def test_only_the_composition_root_imports_adapters() -> None:
    files = [path for path in under("bot/") if not name_of(path).startswith(("bot/adapters/", "bot/app.py"))]
    assert not breaches("only bot/app.py names adapters", files, "bot.adapters")


def test_an_adapter_imports_its_own_library_and_no_other_adapter() -> None:
    rules = {"github": ("azure", "msrest", "bot.adapters.azure"), "azure": ("github", "bot.adapters.github")}
    for path in under("bot/adapters/"):
        kind = path.name.split("_")[0].removesuffix(".py")
        if kind == "__init__":
            continue
        wrong = [
            module
            for module in imports(path)
            if within(module, *(name for name in rules[kind] if "." not in name))
            or any(module.startswith(name) for name in rules[kind] if "." in name)
        ]
        assert not wrong, f"{name_of(path)} imports {wrong}"


def test_foreign_libraries_are_used_by_adapters_only() -> None:
    files = [path for path in FILES if not name_of(path).startswith(("bot/adapters/", "bot/playground/"))]
    assert not breaches("adapters only", files, *FOREIGN)


def test_pure_modules_do_no_input_or_output() -> None:
    assert not breaches("pure", under(*PURE), *IO)


def test_the_playground_is_the_outside_world() -> None:
    files = under("bot/playground/")
    wrong = [
        f"{name_of(path)} imports {module}"
        for path in files
        for module in imports(path)
        if within(module, "lifecycle")
        or (within(module, "bot") and module != "bot" and not within(module, "bot.playground"))
    ]
    assert not wrong
    users = [path for path in FILES if path not in files and name_of(path) != "bot/__main__.py"]
    assert not breaches("only the command line and tests use the playground", users, "bot.playground")


def test_the_environment_and_the_time_are_read_in_one_place() -> None:
    wrong = []
    programs = ("bot/__main__.py", "lifecycle/__main__.py", "lifecycle/jobs/", "lifecycle/executors/keeper.py")
    outside = ("bot/app.py", "bot/playground/", *programs)  # a program of its own has its own beginning
    for path in FILES:
        if name_of(path).startswith(outside):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
            if text in ("os.environ", "os.getenv", "datetime.now", "datetime.utcnow", "time.time"):
                wrong.append(f"{name_of(path)}:{node.lineno} {text}")
    assert not wrong


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    long = [
        f"{node.name}: {(node.end_lineno or 0) - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _length(node) > 30
    ]
    assert not long


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function's body: its signature and its promise may be as long as they need to be."""
    documented = isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant)
    body = node.body[1:] if documented else node.body
    return (node.end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        name_of(path)
        for path in FILES
        if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not silent


@pytest.mark.parametrize("word", ["utils", "helpers", "manager", "base", "misc", "common"])
def test_no_module_is_named_after_nothing(word: str) -> None:
    assert not [name_of(path) for path in FILES if path.stem == word]
