"""From a comment's words to a call that fits a command's signature, and the help that signatures give (pure)."""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, get_type_hints

from bot.arguments import SIMPLE, Misread, Reader, Rest, Value, Word, code_span, guess, reader, words
from bot.asked import LIMIT, Asked, find, find_html, plain
from bot.ports import Permission

__all__ = [
    "EVERYWHERE",
    "Asked",
    "Call",
    "Command",
    "Misread",
    "Param",
    "Unknown",
    "Value",
    "Where",
    "code_span",
    "command",
    "find",
    "find_html",
    "fit",
    "help_text",
    "plain",
    "usage",
]


class Where(StrEnum):
    """The kinds of places where a command can be asked for."""

    ISSUE = "an issue"
    PULL = "a pull request"
    ITEM = "a work item"


EVERYWHERE = frozenset(Where)


class Unknown(Misread):
    """There is no such command; `near` are names that it may be a slip of. Without any it is likely another bot's."""

    def __init__(self, message: str, near: Sequence[str]) -> None:
        super().__init__(message)
        self.near = tuple(near)


@dataclass(frozen=True, slots=True)
class Param:
    """One argument of a command; `by_word` says that it can be given without its name."""

    name: str
    reader: Reader
    required: bool
    default: object
    by_word: bool


@dataclass(frozen=True, slots=True)
class Command:
    """Something that can be asked for; `free` commands also take any other name=value."""

    name: str
    run: Callable[..., Any]
    needs: Permission
    summary: str
    details: str
    params: tuple[Param, ...]
    free: bool
    reserved: str
    where: frozenset[Where] = EVERYWHERE

    def __str__(self) -> str:
        return f"/{self.name}"


@dataclass(frozen=True, slots=True)
class Call:
    """A command with arguments that fit it."""

    command: Command
    arguments: Mapping[str, Any]

    def run(self, ask: object) -> Any:
        """Carry it out: the command's function with `ask` first."""
        return self.command.run(ask, **self.arguments)


def command(
    *, needs: Permission, where: Iterable[Where] = EVERYWHERE, name: str = ""
) -> Callable[[Callable[..., Any]], Command]:
    """Make a command of a function. Its first parameter is handed through, the others are the arguments.

    `/name` is the function's name with dashes. Keyword-only parameters need their name, `**params` takes any others.
    The docstring's first line is the summary, the rest the details. Raises TypeError for what no comment can say.
    """

    def make(function: Callable[..., Any]) -> Command:
        hints = get_type_hints(function)
        first, *others = inspect.signature(function).parameters.values()
        summary, _, details = inspect.cleandoc(function.__doc__ or "").partition("\n")
        return Command(
            name=name or function.__name__.replace("_", "-"),
            run=function,
            needs=needs,
            summary=summary.strip(),
            details=details.strip(),
            params=tuple(_param(p, hints) for p in others if p.kind is not p.VAR_KEYWORD),
            free=any(p.kind is p.VAR_KEYWORD for p in others),
            reserved="" if first.kind is first.POSITIONAL_ONLY else first.name,
            where=frozenset(where),
        )

    return make


def _param(parameter: inspect.Parameter, hints: Mapping[str, Any]) -> Param:
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY) or parameter.name not in hints:
        raise TypeError(f"{parameter} cannot be an argument of a command: it needs a name and a type")
    required = parameter.default is parameter.empty
    by_word = parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    return Param(parameter.name, reader(hints[parameter.name]), required, parameter.default, by_word)


def fit(asked: Asked, commands: Iterable[Command], where: Where | None = None) -> Call:
    """The call that a command line means. Raises Misread, or Unknown where there is no such command."""
    if asked.place > LIMIT:
        raise Misread(
            f"A comment can hold {LIMIT} commands; {code_span('/' + asked.name)} and what follows were left alone. "
            "Please write them in another comment."
        )
    found = _named(asked.name, commands)
    if where is not None and where not in found.where:
        places = " or ".join(str(place) for place in Where if place in found.where)
        raise Misread(f"`{found}` works on {places}, not on {where}.")
    given: dict[str, Any] = {}
    if len(found.params) == 1 and found.params[0].reader is SIMPLE[Rest]:
        return Call(found, {found.params[0].name: Rest(asked.rest)})
    for word in words(asked.rest):
        name, value = _argument(found, word, given)
        if name in given:
            raise Misread(f"{code_span(name)} is given twice. {_usage_line(found)}")
        given[name] = value
    missing = [f"`{p.name}`" for p in found.params if p.required and p.name not in given]
    if missing:
        raise Misread(f"`{found}` needs {' and '.join(missing)}. {_usage_line(found)}")
    return Call(found, given)


def usage(command: Command) -> str:
    """How a command is written: <needed> [optional] [name=…], without Markdown."""
    parts = [f"/{command.name}"]
    for p in command.params:
        shown = p.name if p.by_word else f"{p.name}=…"
        parts.append(f"<{shown}>" if p.required else f"[{shown}]")
    return " ".join(parts) + (" [name=value …]" if command.free else "")


def help_text(commands: Iterable[Command], name: str | None = None) -> str:
    """Markdown: a table of all commands, or everything about one. Raises Unknown."""
    if name:
        return _about(_named(name.removeprefix("/"), commands))
    rows = [
        f"| {code_span(usage(c))} | {_cell(c.summary)} | {_needs(c)} |" for c in sorted(commands, key=lambda c: c.name)
    ]
    head = ["| Command | What it does | Who may |", "| --- | --- | --- |"]
    return "\n".join([*head, *rows, "", "Write a command on a line of its own. `/help name` tells more about one."])


def _about(command: Command) -> str:
    lines = [f"### {code_span(usage(command))}", "", command.summary, "", f"Who may: {_needs(command)}."]
    if command.where != EVERYWHERE:
        lines[-1] += f" Where: on {' or '.join(str(place) for place in Where if place in command.where)}."
    if command.params:
        lines += ["", "| Argument | Expects | If left out |", "| --- | --- | --- |"]
        lines += [f"| `{p.name}` | {_cell(p.reader.expects)} | {_default(p)} |" for p in command.params]
    if command.free:
        lines += ["", "Any other `name=value` is handed on as a parameter; put quotes around what is to stay text."]
    return "\n".join([*lines, *(["", command.details] if command.details else [])])


def _default(param: Param) -> str:
    if param.required:
        return "needed"
    if isinstance(param.default, bool):
        return "yes" if param.default else "no"
    return "" if param.default in (None, "") else code_span(str(param.default))


def _needs(command: Command) -> str:
    return "anybody" if command.needs is Permission.NONE else f"{command.needs.name.lower()} permission"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _named(name: str, commands: Iterable[Command]) -> Command:
    known = {c.name: c for c in commands}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=2, cutoff=0.6)
    hint = f" Did you mean {' or '.join(f'`/{n}`' for n in near)}?" if near else ""
    raise Unknown(f"There is no command {code_span('/' + name)}.{hint} `/help` lists what there is.", near)


def _argument(command: Command, word: Word, given: Mapping[str, Any]) -> tuple[str, Any]:
    if word.name is None:
        param = _next(command, word, given)
        return param.name, _read(command, param, word)
    by_name = {p.name: p for p in command.params}
    param_or_none = by_name.get(word.name) or by_name.get(word.name.replace("-", "_"))
    if param_or_none is not None:
        return param_or_none.name, _read(command, param_or_none, word)
    if command.free and word.name != command.reserved:
        return word.name, guess(word)
    near = difflib.get_close_matches(word.name, by_name, n=1, cutoff=0.6)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    raise Misread(f"`{command}` has no argument {code_span(word.name)}.{hint} {_usage_line(command)}")


def _next(command: Command, word: Word, given: Mapping[str, Any]) -> Param:
    """The parameter that a word without a name is for."""
    if word.text.startswith(("-", "–", "—")) and word.text[1:2] not in "0123456789." and not word.quoted:
        raise Misread(f"Arguments are written `name=value`, without dashes; what is {code_span(word.text)}? "
                      f"{_usage_line(command)}")  # fmt: skip
    open_ones = [p for p in command.params if p.by_word and p.name not in given]
    if open_ones:
        return open_ones[0]
    raise Misread(f"{code_span(word.text)} is one word too many for `{command}`. {_usage_line(command)}")


def _read(command: Command, param: Param, word: Word) -> object:
    try:
        return param.reader.read(word)
    except ValueError:
        said = code_span(word.text) if word.text.strip() else "nothing"
        raise Misread(f"`{param.name}` expects {param.reader.expects}, not {said}. {_usage_line(command)}") from None


def _usage_line(command: Command) -> str:
    return f"Usage: {code_span(usage(command), 200)}"
