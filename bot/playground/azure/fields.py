"""The fields a work item can have: reference names, types, which of them people may write, and how values are read."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from .errors import bad_field_value, rule


class Kind(StrEnum):
    STRING = "string"
    INTEGER = "integer"
    DOUBLE = "double"
    BOOLEAN = "boolean"
    DATE = "dateTime"
    HTML = "html"
    HISTORY = "history"
    PLAIN = "plainText"
    TREE = "treePath"
    PERSON = "identity"  # on the wire a string with isIdentity


@dataclass(frozen=True, slots=True)
class Field:
    reference: str
    name: str
    kind: Kind
    read_only: bool = False
    shown: bool = True  # part of an item that is read without $expand

    @property
    def wire_type(self) -> str:
        return "string" if self.kind is Kind.PERSON else self.kind.value


def _system(table: str, *, read_only: bool, shown: bool) -> list[Field]:
    rows = (line.split("|") for line in table.strip().splitlines())
    return [Field(ref.strip(), name.strip(), Kind(kind.strip()), read_only, shown) for ref, name, kind in rows]


_WRITABLE = """
System.AreaPath | Area Path | treePath
System.IterationPath | Iteration Path | treePath
System.WorkItemType | Work Item Type | string
System.State | State | string
System.Reason | Reason | string
System.AssignedTo | Assigned To | identity
System.Title | Title | string
System.Description | Description | html
System.History | History | history
System.Tags | Tags | plainText
Microsoft.VSTS.Common.Priority | Priority | integer
Microsoft.VSTS.Common.Severity | Severity | string
Microsoft.VSTS.Common.AcceptanceCriteria | Acceptance Criteria | html
Microsoft.VSTS.Common.ValueArea | Value Area | string
Microsoft.VSTS.Common.StackRank | Stack Rank | double
Microsoft.VSTS.Common.Activity | Activity | string
Microsoft.VSTS.Common.ResolvedReason | Resolved Reason | string
Microsoft.VSTS.TCM.ReproSteps | Repro Steps | html
Microsoft.VSTS.TCM.SystemInfo | System Info | html
Microsoft.VSTS.Scheduling.StoryPoints | Story Points | double
Microsoft.VSTS.Scheduling.Effort | Effort | double
Microsoft.VSTS.Scheduling.Size | Size | double
Microsoft.VSTS.Scheduling.OriginalEstimate | Original Estimate | double
Microsoft.VSTS.Scheduling.RemainingWork | Remaining Work | double
Microsoft.VSTS.Scheduling.CompletedWork | Completed Work | double
Microsoft.VSTS.Scheduling.StartDate | Start Date | dateTime
Microsoft.VSTS.Scheduling.FinishDate | Finish Date | dateTime
Microsoft.VSTS.Scheduling.TargetDate | Target Date | dateTime
Microsoft.VSTS.Scheduling.DueDate | Due Date | dateTime
"""
_KEPT_BY_THE_SERVICE = """
System.TeamProject | Team Project | string
System.CreatedDate | Created Date | dateTime
System.CreatedBy | Created By | identity
System.ChangedDate | Changed Date | dateTime
System.ChangedBy | Changed By | identity
System.CommentCount | Comment Count | integer
System.BoardColumn | Board Column | string
System.BoardColumnDone | Board Column Done | boolean
Microsoft.VSTS.Common.StateChangeDate | State Change Date | dateTime
Microsoft.VSTS.Common.ActivatedDate | Activated Date | dateTime
Microsoft.VSTS.Common.ActivatedBy | Activated By | identity
Microsoft.VSTS.Common.ResolvedDate | Resolved Date | dateTime
Microsoft.VSTS.Common.ResolvedBy | Resolved By | identity
Microsoft.VSTS.Common.ClosedDate | Closed Date | dateTime
Microsoft.VSTS.Common.ClosedBy | Closed By | identity
System.Parent | Parent | integer
"""
_KEPT_OUT_OF_SIGHT = """
System.Id | ID | integer
System.Rev | Rev | integer
System.Watermark | Watermark | integer
System.AuthorizedDate | Authorized Date | dateTime
System.AuthorizedAs | Authorized As | identity
System.RevisedDate | Revised Date | dateTime
System.AreaId | Area ID | integer
System.IterationId | Iteration ID | integer
System.NodeName | Node Name | string
System.PersonId | Person ID | integer
System.IsDeleted | Is Deleted | boolean
"""

STANDARD = (
    *_system(_WRITABLE, read_only=False, shown=True),
    *_system(_KEPT_BY_THE_SERVICE, read_only=True, shown=True),
    *_system(_KEPT_OUT_OF_SIGHT, read_only=True, shown=False),
)
# People may give these when they bypass the rules, as migrations do.
BYPASSABLE = {"System.CreatedDate", "System.CreatedBy", "System.ChangedDate", "System.ChangedBy"}
_TITLE_LIMIT = 255


def read_value(field: Field, value: Any) -> Any:
    """Turns a JSON value into what the field stores; None clears. Persons and paths are the caller's to resolve."""
    if value is None or value == "":
        return None
    try:
        return _read(field, value)
    except (TypeError, ValueError):
        raise bad_field_value(field.reference) from None


def _read(field: Field, value: Any) -> Any:
    match field.kind:
        case Kind.INTEGER:
            return int(value)
        case Kind.DOUBLE:
            return float(value)
        case Kind.BOOLEAN:
            return value if isinstance(value, bool) else str(value).lower() == "true"
        case Kind.DATE:
            return read_time(str(value))
        case Kind.STRING:
            return _short_text(field, str(value))
        case Kind.HTML | Kind.HISTORY | Kind.PLAIN | Kind.TREE | Kind.PERSON:
            return value if isinstance(value, dict) else str(value)


def _short_text(field: Field, text: str) -> str:
    if len(text) > _TITLE_LIMIT:
        raise rule(field.reference, field.name, "InvalidTooLong")
    return text.strip()


def read_time(text: str) -> datetime:
    """ISO 8601, with or without zone; without one it is UTC."""
    when = datetime.fromisoformat(text)
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def write_time(when: datetime) -> str:
    """Milliseconds without trailing zeros, as the service prints them: 2023-03-10T19:51:27.58Z."""
    text = when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{when.microsecond // 1000:03d}".rstrip("0")
    return f"{text}.{fraction}Z" if fraction else f"{text}Z"


# What System.RevisedDate says while a revision is the newest one.
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
