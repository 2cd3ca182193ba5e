"""What the application says of its own JSON doors, and the smallest bodies that they take."""

from __future__ import annotations

import functools
from typing import Any, cast

from api.app import create_app
from api.bootstrap import Wiring


@functools.cache
def described() -> dict[str, Any]:
    """Return the OpenAPI document of the application."""
    return create_app(cast("Wiring", None)).openapi()


def schema_of(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema, looked up where it is only named."""
    while "$ref" in schema:
        schema = described()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def body_of(operation: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of the JSON body of an operation; empty when it takes none."""
    content = operation.get("requestBody", {}).get("content", {})
    return schema_of(content.get("application/json", {}).get("schema", {}))


def example(schema: dict[str, Any]) -> Any:
    """Return the smallest value that a schema takes."""
    schema = schema_of(schema)
    if "default" in schema:
        return schema["default"]
    for one in schema.get("anyOf", ()):
        return example(one)
    kind = schema.get("type")
    if kind == "object":
        return {name: example(schema["properties"][name]) for name in schema.get("required", ())}
    if kind == "array":
        return []
    if schema.get("format") == "date":
        return "2026-01-01"
    return {"integer": 1, "boolean": False}.get(str(kind), "1")
