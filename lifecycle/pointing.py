"""Where in the repository a finding comes from: lines of lifecycle.yaml and of the training script."""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from lifecycle.project import FILE, Model, read_project
from lifecycle.runs import Run, Stage, State
from lifecycle.shop import Shop
from lifecycle.verdicts import Judgement, Outcome, Verdict
from lifecycle.workspace import GitTrouble
from lifecycle.yamlfile import Mistakes, line_of

Read = Callable[[int], tuple[bytes, int]]
LOG_TAIL = 65_536
LONGEST_SCRIPT = 400_000
TRACE = re.compile(r'File "([^"\n]{1,500})", line (\d{1,7})')
LEAKS = re.compile(r"(.+?)(?:, and \d+ more)? (?:each )?alone all but gives? the answer away")


@dataclass(frozen=True, slots=True)
class Pointer:
    """A line of a file and what was found about it; `level` is notice, warning or failure."""

    path: str
    line: int
    level: str
    title: str
    message: str


def pointers(shop: Shop, run: Run, log: Read) -> tuple[Pointer, ...]:
    """What a run's outcome points at, in files as they are at its commit; nothing where they cannot be read.

    log: what training has written, from a byte on, and the byte to ask for next.
    """
    text = _read(shop, run, FILE)
    if text is None:
        return ()
    try:
        model = read_project(text).models.get(run.spec.model)
    except Mistakes as wrong:
        return mistakes(wrong)
    if model is None:
        return ()
    scripts = {path: code for path in _scripts(model) if (code := _read(shop, run, path)) is not None}
    train, validate = run.stage(Stage.TRAIN), run.stage(Stage.VALIDATE)
    found: list[Pointer] = []
    if run.state is State.FAILED and train is not None and train.jobs:
        found += crash(_tail(log), scripts, lambda path: _read(shop, run, path))
    with suppress(KeyError, TypeError, ValueError, AttributeError):
        if validate is not None:
            found += findings(_judgement(validate.result), run.spec.model, text, scripts)
    return tuple(found)


def mistakes(wrong: Mistakes) -> tuple[Pointer, ...]:
    """One for each mistake in lifecycle.yaml."""
    return tuple(Pointer(FILE, one.line, "failure", "Mistake in lifecycle.yaml", one.what) for one in wrong.mistakes)


def findings(judged: Judgement, name: str, text: str, scripts: Mapping[str, str]) -> Iterator[Pointer]:
    """What a judgement says about lines: the rule that was not met, the slices, the columns that give the answer away.

    text: lifecycle.yaml; scripts: the training command's files by path.
    """
    rules = ("models", name, "validate")
    if judged.primary.verdict is not Verdict.PASS:
        key = "require_improvement" if judged.primary.reason.endswith("an improvement is required.") else "margin"
        title = f"{judged.primary.metric} by this rule: {judged.primary.verdict}"
        yield _rule(text, (*rules, key), judged.primary.verdict, title, judged.primary.reason)
    for one in judged.slices[:5]:
        if one.verdict is Verdict.FAIL:
            yield _rule(text, (*rules, "slices"), one.verdict, f"Worse where {one.name} is {one.value}", one.reason)
    for check in judged.checks:
        if check.name == "limits" and check.outcome is Outcome.FAIL:
            key = "at_most" if "at most" in check.sentence else "at_least"
            yield _rule(text, (*rules, key), Verdict.FAIL, "Outside its absolute limits", check.sentence)
        elif check.name == "leakage" and check.outcome is not Outcome.OK:
            yield from _leaks(check.sentence, name, text, scripts)


def _rule(text: str, path: Sequence[str], verdict: Verdict, title: str, message: str) -> Pointer:
    level = "failure" if verdict is Verdict.FAIL else "warning"
    return Pointer(FILE, line_of(text, path), level, title, message)


def _leaks(sentence: str, name: str, text: str, scripts: Mapping[str, str]) -> Iterator[Pointer]:
    """Where the script names the column; else where lifecycle.yaml names the data that has it."""
    said = LEAKS.match(sentence)
    for column in said[1].split(", ") if said else ():
        words = f"{column} alone all but gives the answer away. Is it known before the answer is? If not, leave it out."
        places = [(path, line) for path, script in scripts.items() for line in lines_with(script, column)[:3]]
        for path, line in places or [(FILE, line_of(text, ("models", name, "data")))]:
            yield Pointer(path, line, "warning", f"{column} gives the answer away", words)


def lines_with(script: str, column: str) -> list[int]:
    """The lines, counted from 1, in which a script names the column as text or as an attribute."""
    known = re.compile(rf"""(["']){re.escape(column)}\1|\.{re.escape(column)}\b""")
    return [number for number, line in enumerate(script.splitlines(), 1) if known.search(line)]


def crash(log: str, scripts: Mapping[str, str], read: Any) -> tuple[Pointer, ...]:
    """The last line of the repository in the log's last traceback."""
    begin = log.rfind("Traceback (most recent call last)")
    if begin < 0:
        return ()
    trace = log[begin:]
    said = [line for line in trace.splitlines() if line.strip() and not line.startswith((" ", "\t", "Traceback"))]
    for path, line in reversed(TRACE.findall(trace)):
        for known in (*scripts, path.lstrip("./")):
            text = scripts.get(known)
            if path == known or path.endswith(f"/{known}"):
                text = text if text is not None else read(known)
                if text is not None and 0 < int(line) <= text.count("\n") + 1:
                    return (Pointer(known, int(line), "failure", "Training stopped here", (said or ["It failed."])[0]),)
    return ()


def _scripts(model: Model) -> list[str]:
    """The files that the training command names."""
    try:
        words = shlex.split(model.train)
    except ValueError:
        return []
    return [word.removeprefix("./") for word in words[:20] if "." in word and not word.startswith(("-", "/"))]


def _read(shop: Shop, run: Run, path: str) -> str | None:
    try:
        found = shop.workspaces.read(shop.source(run.spec.project), run.spec.commit, path)
    except (GitTrouble, LookupError, ValueError):
        return None
    return None if found is None or len(found) > LONGEST_SCRIPT else found.decode("utf-8", "replace")


def _tail(log: Read) -> str:
    """The end of what was written, as far as it is still kept."""
    found, offset = b"", 0
    with suppress(OSError, LookupError):
        while True:
            piece, after = log(offset)
            if not piece or after <= offset:
                break
            found, offset = (found + piece)[-LOG_TAIL:], after
    return found.decode("utf-8", "replace")


def _judgement(result: Mapping[str, Any]) -> Judgement:
    import json

    return Judgement.from_json(json.dumps(result["judgement"]))
