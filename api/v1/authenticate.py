"""Certificates examined on request, as JSON; no sign-in is needed, and nothing is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, UploadFile

from api.deps import Language, Wired, allows
from api.examining import examined
from api.problems import finding_document, say
from api.strict_routes import StrictRoute
from calib.verifier.advice import advice
from calib.verifier.report import STEP_WORDS, Report, Step

router = APIRouter(tags=["authenticate"], route_class=StrictRoute)


@router.post("/authenticate", dependencies=allows("public.examine"))
def authenticate(
    request: Request,
    wired: Wired,
    language: Language,
    file: list[UploadFile] | None = None,
    code: Annotated[str, Form(max_length=4000)] = "",
) -> list[Mapping[str, Any]]:
    """Examine certificates (PDF, XML) and codes; a proof and a status list may come with them."""
    found = examined(request, wired, file or [], code)
    return [{"name": one.name, **_report(one.report, language)} for one in found]


def _report(report: Report, language: str) -> dict[str, Any]:
    return {
        "verdict": report.verdict,
        "words": say(report.words, {}, language),
        "next": say(advice(report), {}, language),
        "says": dict(report.says),
        "steps": [_step(step, language) for step in report.steps],
    }


def _step(step: Step, language: str) -> dict[str, Any]:
    return {
        "step": step.id,
        "words": say(STEP_WORDS[step.id], {}, language),
        "state": step.state,
        "detail": say(step.message, step.facts, language),
        "findings": [finding_document(finding, language) for finding in step.findings],
    }
