"""What the application says of its JSON doors beyond their bodies: who may ask, what is refused.

FastAPI describes what a route takes and gives. That a token is asked for, and that every refusal
is a problem document (RFC 9457), holds for all routes alike and is added here, once.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from api.declared import declared
from instruments.policy import ACTIONS

PROBLEM = "application/problem+json"
_TEXT = {"type": "string"}
_FINDING = {
    "type": "object",
    "required": ["code", "severity", "message", "at", "clause"],
    "properties": dict.fromkeys(("code", "severity", "message", "at", "clause"), _TEXT),
    "additionalProperties": False,
}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "at", "clause"],
    "properties": {
        **dict.fromkeys(("type", "title", "code", "detail", "at", "clause"), _TEXT),
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "findings": {"type": "array", "items": {"$ref": "#/components/schemas/ProblemFinding"}},
    },
    "additionalProperties": False,
}
REFUSALS = {
    400: "The form cannot be taken apart, or the key of an act that happens once is missing.",
    401: "Nobody is signed in: send a token.",
    403: "Whoever asks has no right to this.",
    404: "There is no such thing, or it is of somebody else.",
    409: "It cannot be done as things stand.",
    411: "The request does not say how long it is.",
    412: "The record was changed since the version that was named.",
    413: "The request is too long.",
    422: "What was sent cannot be read, or means nothing.",
    428: "The version that the change was made on is not named.",
    429: "Too much was asked from one address.",
    503: "The installation cannot take it now.",
}
_OF_SIGNED_IN = {401, 403}
_OF_VERSIONS = {412, 428}
_OF_FORMS_AND_KEYS = {400}


def describe(app: FastAPI) -> None:
    """Let the application's document say of every operation who may ask and what is refused."""
    made = app.openapi
    acts = {
        (method.lower(), path.replace(":path}", "}")): act for method, path, act in declared(app)
    }

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            told = made()
            for path, operations in told["paths"].items():
                for method, operation in operations.items():
                    _complete(operation, public=ACTIONS[acts[method, path]].who == "public")
            _name_parts(told.setdefault("components", {}))
        return app.openapi_schema or {}

    app.openapi = document  # type: ignore[method-assign]


def _name_parts(components: dict[str, Any]) -> None:
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas |= {"Problem": _PROBLEM, "ProblemFinding": _FINDING}
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}


def _complete(operation: dict[str, Any], *, public: bool) -> None:
    if not public:
        operation["security"] = [{"token": []}]
    takes = {one["name"].lower() for one in operation.get("parameters", ())}
    form = "multipart/form-data" in operation.get("requestBody", {}).get("content", {})
    left_out = _OF_SIGNED_IN if public else set[int]()
    left_out = left_out | (set() if "if-match" in takes else _OF_VERSIONS)
    left_out = left_out | (set() if form or "idempotency-key" in takes else _OF_FORMS_AND_KEYS)
    for status, words in REFUSALS.items():
        if status not in left_out:
            operation["responses"][str(status)] = {
                "description": words,
                "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
