"""What the application says of its own JSON doors, and the bodies that they take."""

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


TYPED: dict[str, Any] = {
    "address": "1 Bath Street", "carries": "bath", "clause": "5.3", "code": "N-7",
    "conditions": {}, "country": "CN", "decision_rule": "none", "due_on": "2027-03-01",
    "email": "new@example.org", "first_on": "2026-03-02", "kind": "calibration", "k": "2",
    "language": "en", "last_on": "2027-03-01", "low": "0", "high": "50", "measurand": "temperature",
    "moment": "end", "performed_on": "2026-03-02", "points": {"temperature": ["0", "50"]},
    "quantity": "temperature", "since": "2026-03-01T08:00:00Z", "status": "limited",
    "time_zone": "Asia/Shanghai", "type_id": "thermometer.digital_probe", "unit": "degC",
    "venue_type": "school",
}  # fmt: skip
"""Values of fields whose form the description does not say."""


def whole(schema: dict[str, Any], numbers: dict[str, int], turn: int = 0, name: str = "") -> Any:
    """Return a value with every field that a schema names; `turn` chooses among what it lists."""
    schema = schema_of(schema)
    if name in numbers or name == "second_person_id":
        return numbers.get(name, numbers.get("person_id", 1))
    if name in TYPED:
        return TYPED[name]
    if schema.get("enum"):
        return schema["enum"][turn % len(schema["enum"])]
    ways = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if ways:
        return whole(ways[turn % len(ways)], numbers, turn, name)
    if schema.get("type") == "object":
        inner = schema.get("properties")
        if inner is None:
            more = schema.get("additionalProperties")
            return {"temperature": whole(more if isinstance(more, dict) else {}, numbers, turn)}
        return {one: whole(inner[one], numbers, turn, one) for one in inner}
    if schema.get("type") == "array":
        return [whole(schema.get("items", {}), numbers, turn, name.removesuffix("s"))]
    return _plain(schema, turn)


def _plain(schema: dict[str, Any], turn: int) -> Any:
    if "const" in schema:
        return schema["const"]
    if schema.get("format") == "date":
        return "2026-03-02"
    if schema.get("type") == "integer":
        return max(1, int(schema.get("minimum", 1)))
    return turn % 2 == 0 if schema.get("type") == "boolean" else "1"


def richer(schema: dict[str, Any], numbers: dict[str, int]) -> list[Any]:
    """Return bodies: the smallest with one optional field more, each in turn; then with all."""
    if schema.get("type") != "object" or "properties" not in schema:
        return [whole(schema, numbers, turn) for turn in (0, 1)]
    full = whole(schema, numbers)
    needed = {name: full[name] for name in schema.get("required", ())}
    more = [{**needed, name: full[name]} for name in full if name not in needed]
    return [needed, *more, full, whole(schema, numbers, 1)]
