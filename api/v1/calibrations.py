"""Records of work as JSON: plan, readings, circumstances, evaluation, review."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Response, UploadFile

from api.deps import Acting, ImportKey, Language, Reading, VersionSeen, Writing, allows
from api.files import download
from api.problems import finding_document
from api.proving import Proving, answer_of
from api.schemas.work import (
    AcceptedWarning,
    Comment,
    Facts,
    NewCondition,
    NewPlan,
    NewReadings,
    Reason,
    Submission,
    WhatToSign,
)
from api.strict_routes import StrictRoute
from api.v1.answers import import_report, tagged
from calib.services import circumstances, evaluation, planning, readings, review, supporting
from calib.services.calibration_lists import CalibrationLine
from calib.services.calibration_lists import list_calibrations as list_records
from calib.services.calibration_views import CalibrationView, ConditionView, ReadingView
from calib.services.signatures import SignatureView
from instruments.canonical import canonical_json
from instruments.services.importing import ImportReport

router = APIRouter(prefix="/calibrations", tags=["calibrations"], route_class=StrictRoute)


@router.get("", dependencies=allows("calibration.read"))
def list_calibrations(ctx: Reading, state: str | None = None) -> tuple[CalibrationLine, ...]:
    """Return the records of the lab, all or those in one state."""
    return list_records(ctx, state)


@router.get("/{calibration_id}", dependencies=allows("calibration.read"))
def get_calibration(calibration_id: int, ctx: Reading, response: Response) -> CalibrationView:
    """Return a record with everything entered so far."""
    return tagged(response, readings.get_calibration(ctx, calibration_id))


@router.get("/{calibration_id}/standards", dependencies=allows("calibration.read"))
def usable_standards(calibration_id: int, ctx: Reading) -> tuple[supporting.StandardCandidate, ...]:
    """Return the standards for each measurand, with the reason where one may not be used."""
    return supporting.supporting(ctx, calibration_id)


@router.put("/{calibration_id}/plan", dependencies=allows("calibration.plan"))
def change_plan(
    calibration_id: int, body: NewPlan, version: VersionSeen, ctx: Writing, response: Response
) -> CalibrationView:
    """Change points, standards, predictions or pieces of a draft."""
    change = planning.PlanChange(**body.model_dump())
    return tagged(response, planning.plan(ctx, calibration_id, version, change))


@router.patch("/{calibration_id}/facts", dependencies=allows("calibration.enter"))
def set_facts(
    calibration_id: int, body: Facts, version: VersionSeen, ctx: Writing, response: Response
) -> CalibrationView:
    """Note the circumstances of the work."""
    view = circumstances.set_facts(ctx, calibration_id, version, **body.model_dump())
    return tagged(response, view)


@router.post("/{calibration_id}/readings", dependencies=allows("calibration.enter"))
def enter_readings(calibration_id: int, body: NewReadings, ctx: Writing) -> tuple[ReadingView, ...]:
    """Enter values, all or none; a change of an entered value needs a reason."""
    entries = [readings.ReadingEntry(**entry.model_dump()) for entry in body.entries]
    return readings.enter(ctx, calibration_id, entries)


@router.post("/{calibration_id}/readings/import", dependencies=allows("calibration.enter"))
def import_readings(
    calibration_id: int, file: UploadFile, key: ImportKey, ctx: Writing, stage: str = "as_found"
) -> Mapping[str, Any]:
    """Enter the readings of a logger file or workbook, all or none."""

    def run(content: bytes, name: str) -> ImportReport:
        return readings.import_readings(
            ctx, calibration_id, content, name, dry_run=key is None, stage=stage
        )

    act = "calibration:readings:import"
    return import_report(ctx, act, key, file, run, record=calibration_id, stage=stage)


@router.post("/{calibration_id}/conditions", dependencies=allows("calibration.enter"))
def enter_condition(calibration_id: int, body: NewCondition, ctx: Writing) -> ConditionView:
    """Enter an influence quantity."""
    entry = readings.ConditionEntry(**body.model_dump())
    return readings.enter_condition(ctx, calibration_id, entry)


@router.post("/{calibration_id}/warnings", dependencies=allows("calibration.accept_warning"))
def accept_warning(
    calibration_id: int,
    body: AcceptedWarning,
    version: VersionSeen,
    ctx: Writing,
    response: Response,
) -> CalibrationView:
    """Accept a warning with the reason why the work stands."""
    view = circumstances.accept_warning(ctx, calibration_id, version, body.warning, body.reason)
    return tagged(response, view)


@router.get("/{calibration_id}/evaluation", dependencies=allows("calibration.read"))
def evaluate_draft(calibration_id: int, ctx: Reading, language: Language) -> dict[str, Any]:
    """Return what the record gives now, with every finding; stores nothing."""
    draft = evaluation.evaluate_draft(ctx, calibration_id)
    return {
        "result": draft.result.as_dict()["result"] if draft.result else None,
        "findings": [finding_document(f, language) for f in draft.findings],
    }


@router.get("/{calibration_id}/input", dependencies=allows("calibration.read"))
def frozen_input(calibration_id: int, ctx: Reading) -> Response:
    """Return the frozen input of the newest stored evaluation: a task for ``calib compute``."""
    stored = evaluation.get_evaluation(ctx, calibration_id)
    return download(
        stored.input_json.encode(), "application/json", f"calibration-{calibration_id}-input.json"
    )


@router.get("/{calibration_id}/result", dependencies=allows("calibration.read"))
def stored_result(calibration_id: int, ctx: Reading) -> Response:
    """Return the newest stored result as its canonical bytes."""
    stored = evaluation.get_evaluation(ctx, calibration_id)
    return Response(stored.result_json.encode(), media_type="application/json")


@router.get("/{calibration_id}/draft-input", dependencies=allows("calibration.read"))
def draft_input(calibration_id: int, ctx: Reading) -> Response:
    """Return the input as it would be frozen now: to try a record in ``calib compute``."""
    frozen = evaluation.freeze(ctx, calibration_id)
    return Response(canonical_json(frozen.as_dict()), media_type="application/json")


@router.get("/{calibration_id}/marks", dependencies=allows("calibration.read"))
def marks(calibration_id: int, ctx: Reading) -> tuple[review.MarkView, ...]:
    """Return who submitted, reviewed, authorised or returned the record."""
    readings.get_calibration(ctx, calibration_id)  # no marks of a record that is not there
    return review.marks(ctx, calibration_id)


@router.get("/{calibration_id}/signatures", dependencies=allows("calibration.read"))
def list_signatures(calibration_id: int, ctx: Reading) -> tuple[SignatureView, ...]:
    """Return every signature on the record, void ones too."""
    readings.get_calibration(ctx, calibration_id)
    return review.list_signatures(ctx, calibration_id)


@router.post(
    "/{calibration_id}/signatures/challenges",
    status_code=201,
    dependencies=allows("calibration.sign"),
)
def ask_to_sign(
    calibration_id: int, body: WhatToSign, ctx: Writing, prover: Proving
) -> Mapping[str, Any]:
    """Return what is to be signed: bound to person, session and version, for five minutes."""
    asked = review.ask_to_sign(ctx, calibration_id, body.meaning, prover.session)
    options = prover.passkey_options(ctx, bytes.fromhex(asked.signed_sha256))
    return {**asdict(asked), "passkey_options": json.loads(options) if options else None}


@router.post("/{calibration_id}/submit", dependencies=allows("calibration.submit"))
def submit(
    calibration_id: int,
    version: VersionSeen,
    act: Acting,
    prover: Proving,
    response: Response,
    body: Submission | None = None,
) -> CalibrationView:
    """Submit a draft for review, signed where the lab demands it: it is evaluated and stored."""
    proof = prover.prove(answer_of(body.signature if body else None))
    with act() as ctx:
        review.submit(ctx, calibration_id, version, proof)
        return tagged(response, readings.get_calibration(ctx, calibration_id))


@router.post("/{calibration_id}/review", dependencies=allows("calibration.review"))
def review_calibration(
    calibration_id: int,
    body: Comment,
    version: VersionSeen,
    act: Acting,
    prover: Proving,
    response: Response,
) -> CalibrationView:
    """Mark the record as reviewed by a second person."""
    proof = prover.prove(answer_of(body.signature))
    with act() as ctx:
        review.review(ctx, calibration_id, version, body.comment, proof)
        return tagged(response, readings.get_calibration(ctx, calibration_id))


@router.post("/{calibration_id}/authorise", dependencies=allows("calibration.authorise"))
def authorise(
    calibration_id: int,
    body: Comment,
    version: VersionSeen,
    act: Acting,
    prover: Proving,
    response: Response,
) -> CalibrationView:
    """Mark the record as authorised for issue."""
    proof = prover.prove(answer_of(body.signature))
    with act() as ctx:
        review.authorise(ctx, calibration_id, version, body.comment, proof)
        return tagged(response, readings.get_calibration(ctx, calibration_id))


@router.post("/{calibration_id}/give-back", dependencies=allows("calibration.give_back"))
def give_back(
    calibration_id: int, body: Reason, version: VersionSeen, ctx: Writing, response: Response
) -> CalibrationView:
    """Return the record to the bench with a reason."""
    review.give_back(ctx, calibration_id, version, body.reason)
    return tagged(response, readings.get_calibration(ctx, calibration_id))


@router.post("/{calibration_id}/close", dependencies=allows("calibration.close"))
def close(
    calibration_id: int, body: Reason, version: VersionSeen, ctx: Writing, response: Response
) -> CalibrationView:
    """End a draft without a certificate, with a reason."""
    return tagged(response, circumstances.close(ctx, calibration_id, version, body.reason))
