"""Holds reports to their published schema."""

import importlib
import json
from pathlib import Path
from typing import Any

SCHEMA: dict[str, Any] = json.loads((Path(__file__).parents[2] / "docs" / "report.schema.json").read_text("utf-8"))


def misfits(report: object) -> list[str]:
    """What of a report does not fit its schema: a line each."""
    jsonschema: Any = importlib.import_module("jsonschema")
    reader = jsonschema.Draft202012Validator
    reader.check_schema(SCHEMA)
    found = reader(SCHEMA, format_checker=jsonschema.FormatChecker()).iter_errors(json.loads(json.dumps(report)))
    return [f"{'/'.join(map(str, one.absolute_path))}: {one.message[:200]}" for one in found]
