"""Answers WIQL queries: which work items satisfy the conditions, in which order, with which columns."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from .errors import Refusal, bad_query
from .fields import Field, Kind, read_time, write_time
from .items import WorkItem
from .patch import split_tags
from .people import Person
from .shapes import reference
from .state import Organisation, Project
from .wiql import Both, Clause, Condition, Either, Macro, Value, read_query
from .wire import Answer, Call, Routes

routes = Routes()
_LIMIT = 20_000
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    ">": lambda a, b: a is not None and a > b,
    "<": lambda a, b: a is not None and a < b,
    ">=": lambda a, b: a is not None and a >= b,
    "<=": lambda a, b: a is not None and a <= b,
}
_WITHOUT_FRACTION = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}/\d{1,2}/\d{4}")


@dataclass(frozen=True, slots=True)
class _Asker:
    """What macros stand for, and whether dates are compared to the millisecond or by day."""

    org: Organisation
    person: Person
    project: Project | None
    precise: bool


@routes("POST", "{project?}/{team?}/_apis/wit/wiql")
def query(call: Call) -> Answer:
    """The project in the path gives @project its meaning and, as on the service, limits nothing by itself."""
    asked = read_query(call.org, call.object.text("query"))
    asker = _Asker(call.org, call.person, call.scope, call.flag("timePrecision"))
    items = [item for item in call.org.items.values() if item.deleted is None and _holds(asker, asked.where, item)]
    items = [item for item in items if call.settled(item.revisions[0].fields["System.CreatedDate"])]
    items.sort(key=lambda item: item.id)
    for field, descending in reversed(asked.order):
        items.sort(key=lambda item: _sort_key(item, field), reverse=descending)
    top = call.count("$top", _LIMIT, _LIMIT)
    if len(items) > _LIMIT and "$top" not in call.query:
        text = f"VS402337: The number of work items returned exceeds the size limit of {_LIMIT}."
        raise Refusal(400, text, "WorkItemTrackingQueryResultSizeLimitExceededException")
    order = [{"field": _column(call.org, field), "descending": down} for field, down in asked.order]
    body = {
        "queryType": "flat",
        "queryResultType": "workItem",
        "asOf": write_time(call.org.now()),
        "columns": [_column(call.org, field) for field in asked.columns],
        "workItems": [reference(call.org, item) for item in items[:top]],
    }
    return Answer(body | {"sortColumns": order} if order else body)


def _column(org: Organisation, field: Field) -> dict[str, str]:
    url = f"{org.base_url}/_apis/wit/fields/{field.reference}"
    return {"referenceName": field.reference, "name": field.name, "url": url}


def _sort_key(item: WorkItem, field: Field) -> tuple[bool, Any]:
    value = _held(item, field)
    if isinstance(value, Person):
        value = value.display_name
    return (value is not None, value.lower() if isinstance(value, str) else value if value is not None else 0)


def _held(item: WorkItem, field: Field) -> Any:
    return item[field.reference]


def _holds(asker: _Asker, clause: Clause, item: WorkItem) -> bool:
    match clause:
        case Both(parts):
            return all(_holds(asker, part, item) for part in parts)
        case Either(parts):
            return any(_holds(asker, part, item) for part in parts)
        case Condition():
            return _meets(asker, clause, item) != clause.negated


def _meets(asker: _Asker, asked: Condition, item: WorkItem) -> bool:
    values = [_meaning(asker, value, item) for value in asked.values]
    held = _held(item, asked.field)
    if asked.field.reference == "System.Tags" and asked.operator not in ("CONTAINS", "EMPTY"):
        raise bad_query(f"TF51003: Tags know CONTAINS only. The error is caused by «{asked.words}».")
    match asked.operator:
        case "EMPTY":
            return held in (None, "")
        case "IN":
            return any(_compare(asker, asked, "=", held, value) for value in values)
        case "IN GROUP":
            return item.type.backlog.lower() == str(values[0]).lower()
        case "CONTAINS" | "CONTAINS WORDS":
            return _contains(asked, held, str(values[0]))
        case "UNDER":
            return _under(asked, held, str(values[0]))
        case "EVER":
            past = (revision.fields.get(asked.field.reference) for revision in item.revisions)
            return any(_compare(asker, asked, "=", value, values[0]) for value in past)
        case sign:
            return _compare(asker, asked, sign, held, values[0])


def _meaning(asker: _Asker, value: Value, item: WorkItem) -> Any:
    match value:
        case Macro("@project"):
            if asker.project is None:
                raise bad_query("TF51011: @project needs a project in the request's path.")
            return asker.project.name
        case Macro("@me"):
            return asker.person.unique_name
        case Macro("@today", offset):
            return _today(asker, offset).isoformat()
        case Field():
            return _held(item, value)
        case _:
            return value


def _today(asker: _Asker, offset: int) -> date:
    try:
        return (asker.org.now() + timedelta(days=offset)).date()
    except OverflowError:
        raise bad_query(f"TF51009: @today {offset:+} is no date.") from None


def _compare(asker: _Asker, asked: Condition, sign: str, held: Any, value: Any) -> bool:
    if value in ("", None) and sign == "=":
        return held in (None, "")
    try:
        match asked.field.kind:
            case Kind.DATE:
                left, right = _days(asker, asked, held, value)
            case Kind.INTEGER | Kind.DOUBLE:
                left, right = held, float(str(value))
            case Kind.BOOLEAN:
                left, right = bool(held), str(value).lower() in ("true", "1", "1.0")
            case Kind.PERSON:
                return sign == "=" and isinstance(held, Person) and _is(held, value)
            case _:
                left, right = (str(held).lower() if held is not None else None), str(value).lower()
    except ValueError:
        raise bad_query(f"TF51009: The value has the wrong type. The error is caused by «{asked.words}».") from None
    return _ORDERED[sign](left, right)


def _is(held: Person, value: Any) -> bool:
    return held == value if isinstance(value, Person) else held.goes_by(str(value))


def _days(asker: _Asker, asked: Condition, held: Any, value: Any) -> tuple[Any, Any]:
    """Both sides as days, or to the millisecond with timePrecision=true, where alone a time may be given."""
    if isinstance(value, str) and not asker.precise and not _WITHOUT_FRACTION.fullmatch(value):
        text = "You cannot supply a time with the date when running a query using date precision."
        raise bad_query(f"{text} The error is caused by «{asked.words}».")
    when = value if isinstance(value, datetime) else _read_day(str(value))
    if asker.precise:
        return held, when
    return _day(held), _day(when)


def _day(when: datetime | None) -> date | None:
    return when.date() if when is not None else None


def _read_day(text: str) -> datetime:
    if "/" in text:
        month, day, year = text.split("/")
        text = f"{year}-{int(month):02d}-{int(day):02d}"
    return read_time(text)


def _contains(asked: Condition, held: Any, value: str) -> bool:
    text = str(held or "").lower()
    if asked.field.reference == "System.Tags":  # a whole tag, never a part of one
        return value.strip().lower() in [tag.lower() for tag in split_tags(text)]
    if asked.field.kind not in (Kind.STRING, Kind.HTML, Kind.PLAIN, Kind.HISTORY):
        raise bad_query(f"TF51003: CONTAINS is for text. The error is caused by «{asked.words}».")
    if asked.operator == "CONTAINS WORDS":
        found = set(re.findall(r"\w+", text))
        return all(word in found for word in re.findall(r"\w+", value.lower()))
    return value.lower() in text


def _under(asked: Condition, held: Any, value: str) -> bool:
    if asked.field.kind is not Kind.TREE:
        raise bad_query(f"TF51003: UNDER is for area and iteration paths. The error is caused by «{asked.words}».")
    path, root = str(held).lower() + "\\", value.strip("\\").lower() + "\\"
    return path.startswith(root)
