"""Holds answers to GitHub's published OpenAPI description, of which github_openapi.json keeps the required fields."""

import json
from pathlib import Path
from typing import Any

DESCRIPTION: dict[str, Any] = json.loads(Path(__file__).with_name("github_openapi.json").read_text())
TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


def problems(value: Any, schema: dict[str, Any], schemas: str = "schemas", at: str = "") -> list[str]:
    """What is wrong with a JSON value: a line each, with its place; empty when it fits."""
    if value is None and schema.get("nullable"):
        return []
    found: list[str] = []
    if "$ref" in schema:
        found += problems(value, DESCRIPTION[schemas][schema["$ref"]], schemas, at)
    for part in schema.get("allOf", ()):
        found += problems(value, part, schemas, at)
    for name in ("oneOf", "anyOf"):
        tries = [problems(value, part, schemas, at) for part in schema.get(name, ())]
        found += min(tries, key=len) if tries and all(tries) else []
    return found + _own(value, schema, schemas, at)


def _own(value: Any, schema: dict[str, Any], schemas: str, at: str) -> list[str]:
    kind, found = schema.get("type"), []
    kinds = [one for one in (kind if isinstance(kind, list) else [kind]) if one]
    fits = [
        value is None
        if one == "null"
        else isinstance(value, TYPES[one]) and isinstance(value, bool) <= (one == "boolean")
        for one in kinds
    ]
    if kinds and not any(fits):
        return [f"{at or '.'}: {value!r:.60} is no {kind}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: {value!r} is not one of {schema['enum']}")
    if isinstance(value, dict):
        found += [f"{at}.{name} is missing" for name in schema.get("required", ()) if name not in value]
        for name, part in schema.get("properties", {}).items():
            if name in value:
                found += problems(value[name], part, schemas, f"{at}.{name}")
    if isinstance(value, list) and "items" in schema:
        for one in value:
            found += problems(one, schema["items"], schemas, f"{at}[]")
    return found
