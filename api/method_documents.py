"""A method and a dry run as plain values, for JSON and for commands, in the reader's language."""

from __future__ import annotations

from typing import Any

from api.problems import finding_document
from api.type_words import told
from calib.services.dry_run import DryRun
from instruments.catalogue.difference import Difference
from instruments.plain import to_plain
from instruments.services.method_views import MethodLine, MethodView


def line_document(line: MethodLine) -> dict[str, Any]:
    """Return one revision as it stands in the list."""
    plain: dict[str, Any] = to_plain(line)
    return plain


def method_document(method: MethodView, language: str) -> dict[str, Any]:
    """Return one revision without its text, with what is wrong with it."""
    return {
        **line_document(method.line),
        "file_name": method.file_name,
        "definition": method.definition.as_dict() if method.definition else None,
        "findings": [finding_document(found, language) for found in method.findings],
        "evidence": method.evidence,
    }


def changes_document(changes: tuple[Difference, ...], language: str) -> list[dict[str, Any]]:
    """Return what a revision says otherwise than its base, in words and by place."""
    return [
        {"place": list(one.place), "change": one.change, "words": told(one, language)}
        for one in changes
    ]


def dry_run_document(tried: DryRun, language: str) -> dict[str, Any]:
    """Return what came of a dry run."""
    return {
        "type_id": tried.type_id,
        "definition": tried.definition,
        "software": tried.software,
        "compared": tried.compared,
        "known": tried.known,
        "unevaluated": tried.unevaluated,
        "counts": dict(tried.counts),
        "rows": [
            {
                **to_plain(row),
                "findings": [finding_document(found, language) for found in row.findings],
            }
            for row in tried.rows
        ],
    }
