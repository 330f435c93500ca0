"""Reads the subset of WIQL that flat queries use into a tree; what it does not know it refuses, naming the place."""

import re
from dataclasses import dataclass

from .errors import Refusal, bad_query
from .fields import Field
from .state import Organisation

_DEEPEST = 50  # opened parentheses in one query; the reader calls itself for each
_TOKEN = re.compile(
    r"""\s+ | (?P<field>\[[^\]]*\]) | (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*") | (?P<number>-?\d+(?:\.\d+)?)
    | (?P<macro>@[A-Za-z]+) | (?P<word>[A-Za-z_][\w.]*) | (?P<sign><>|>=|<=|!=|[=<>(),+\-*])""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Macro:
    """@project, @me or @today with its offset in days."""

    name: str
    offset: int = 0


Value = str | float | bool | Macro | Field


@dataclass(frozen=True, slots=True)
class Condition:
    """A field, one of = > < >= <= CONTAINS, CONTAINS WORDS, IN, IN GROUP, UNDER, EVER, EMPTY, and its values."""

    field: Field
    operator: str
    values: tuple[Value, ...]
    negated: bool = False
    words: str = ""


@dataclass(frozen=True, slots=True)
class Both:
    parts: "tuple[Clause, ...]"


@dataclass(frozen=True, slots=True)
class Either:
    parts: "tuple[Clause, ...]"


Clause = Condition | Both | Either


@dataclass(frozen=True, slots=True)
class Query:
    columns: tuple[Field, ...]
    where: Clause
    order: tuple[tuple[Field, bool], ...]  # field, descending


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def read_query(org: Organisation, text: str) -> Query:
    """Raises the service's refusal for syntax that is wrong or that the playground leaves out."""
    return _Reader(org, text).query()


class _Reader:
    def __init__(self, org: Organisation, text: str) -> None:
        self._org = org
        self._tokens = list(_split(text))
        self._at = 0
        self._depth = 0

    def query(self) -> Query:
        self._word("SELECT")
        columns = [self._field()]
        while self._take(","):
            columns.append(self._field())
        self._word("FROM")
        if (source := self._next()).text.lower() != "workitems":
            raise self._refusal(f"the playground answers flat queries on WorkItems, not on {source.text}")
        where: Clause = self._either() if self._take("WHERE") else Both(())
        order = self._order() if self._take("ORDER") else ()
        if self._at < len(self._tokens):
            raise self._refusal("the playground's WIQL ends before", self._tokens[self._at])
        return Query(tuple(columns), where, order)

    def _order(self) -> tuple[tuple[Field, bool], ...]:
        self._word("BY")
        order = []
        while True:
            field = self._field()
            descending = self._take("DESC")
            if not descending:
                self._take("ASC")
            order.append((field, descending))
            if not self._take(","):
                return tuple(order)

    def _either(self) -> Clause:
        parts = [self._both()]
        while self._take("OR"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _both(self) -> Clause:
        parts = [self._one()]
        while self._take("AND"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def _one(self) -> Clause:
        if self._take("("):
            self._depth += 1
            if self._depth > _DEEPEST:
                raise self._refusal("TF51006: The query has too many parentheses")
            inside = self._either()
            self._word(")")
            return inside
        return self._condition()

    def _condition(self) -> Condition:
        start = self._at
        field = self._field()
        negated = self._take("NOT")
        operator, values = self._comparison()
        if operator == "<>" or operator == "!=":
            operator, negated = "=", not negated
        if operator == "NOT EMPTY":
            operator, negated = "EMPTY", True
        words = " ".join(token.text for token in self._tokens[start : self._at])
        return Condition(field, operator, values, negated, words)

    def _comparison(self) -> tuple[str, tuple[Value, ...]]:
        token = self._next()
        match token.text.upper():
            case "=" | "<>" | "!=" | ">" | "<" | ">=" | "<=" as sign:
                return sign, (self._value(),)
            case "CONTAINS":
                name = "CONTAINS WORDS" if self._take("WORDS") else "CONTAINS"
                return name, (self._value(),)
            case "UNDER" | "EVER" as name:
                if name == "EVER":
                    self._take("=")
                return name, (self._value(),)
            case "IN":
                return ("IN GROUP", (self._value(),)) if self._take("GROUP") else ("IN", self._list())
            case "IS":
                name = "NOT EMPTY" if self._take("NOT") else "EMPTY"
                self._word("EMPTY")
                return name, ()
            case _:
                raise self._refusal("the playground's WIQL has no operator", token)

    def _list(self) -> tuple[Value, ...]:
        self._word("(")
        values = [self._value()]
        while self._take(","):
            values.append(self._value())
        self._word(")")
        return tuple(values)

    def _value(self) -> Value:
        token = self._next()
        match token.kind:
            case "text":
                quote = token.text[0]
                return token.text[1:-1].replace(quote * 2, quote)
            case "number":
                return float(token.text)
            case "field":
                return self._known(token)
            case "macro" if token.text.lower() in ("@project", "@me", "@today"):
                return Macro(token.text.lower(), self._offset())
            case "word" if token.text.lower() in ("true", "false"):
                return token.text.lower() == "true"
            case _:
                raise self._refusal("a value was expected instead of", token)

    def _offset(self) -> int:
        """Days after @today: "- 7" or, as the tokenizer sees "@today-7", a negative number."""
        if self._at < len(self._tokens) and self._tokens[self._at].kind == "number":
            return self._days(self._next())
        for sign, factor in (("-", -1), ("+", 1)):
            if self._take(sign):
                return factor * self._days(self._next())
        return 0

    def _days(self, token: _Token) -> int:
        if not re.fullmatch(r"-?\d+", token.text):
            raise self._refusal("a number of days was expected instead of", token)
        return int(token.text)

    def _field(self) -> Field:
        token = self._next()
        if token.kind not in ("field", "word"):
            raise self._refusal("a field was expected instead of", token)
        return self._known(token)

    def _known(self, token: _Token) -> Field:
        name = token.text.strip("[]").strip()
        try:
            return self._org.field(name)
        except Refusal:
            text = "TF51005: The query references a field that does not exist."
            raise bad_query(f"{text} The error is caused by «[{name}]».") from None

    def _next(self) -> _Token:
        if self._at >= len(self._tokens):
            raise self._refusal("TF51006: The query statement ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, word: str) -> bool:
        here = self._tokens[self._at] if self._at < len(self._tokens) else None
        if here is not None and here.kind in ("word", "sign") and here.text.upper() == word:
            self._at += 1
            return True
        return False

    def _word(self, word: str) -> None:
        token = self._next()
        if token.text.upper() != word:
            raise self._refusal(f"TF51006: The query statement needs {word} instead of", token)

    @staticmethod
    def _refusal(words: str, token: _Token | None = None) -> Refusal:
        cause = f" The error is caused by «{token.text}»." if token else ""
        return bad_query(f"{words}{f' {token.text}' if token else ''}.{cause}")


def _split(text: str) -> list[_Token]:
    tokens, at = [], 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise bad_query(f"TF51006: The query cannot be read. The error is caused by «{text[at : at + 20]}».")
        if found.lastgroup is not None:
            tokens.append(_Token(found.lastgroup, found[0]))
        at = found.end()
    return tokens
