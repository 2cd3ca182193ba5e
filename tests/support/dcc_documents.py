"""Documents of every type with numbers drawn from a seed: what a DCC must carry without loss."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from pathlib import Path

from calib.certificates.document import Amendment, CertificateDocument
from calib.evaluation.inputs import ConditionInput, DecisionRule
from calib.evaluation.result import (
    BudgetLine,
    CalibrationResult,
    CurveParameter,
    CurvePrediction,
    CurveResult,
    PieceVerdict,
    PointResult,
    PrintedPoint,
)
from instruments.catalogue.loader import load_catalogue
from instruments.procedure import Measurand
from tests.support import inputs
from tests.support.documents import a_document

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("CALIB_SHARED", ROOT.parent / "shared"))
SCHEMAS = SHARED / "data" / "dcc" / "dcc"
WITHOUT_SCHEMAS = f"PTB's schemas are not at {SCHEMAS}"
TYPES = tuple(sorted(one.id for one in load_catalogue().list()))
VERDICTS = ("pass", "conditional_pass", "undetermined", "conditional_fail", "fail")
RULES = ("none", "simple", "guard_U", "jjf1094", "regulation")


def a_decimal(draw: random.Random, places: int, size: int = 4) -> str:
    """Return a decimal with this many places, trailing zeros and all."""
    number = draw.randint(-(10**size), 10**size)
    text = f"{abs(number) / 10**places:.{places}f}"
    return f"-{text}" if number < 0 and float(text) else text


def _printed(draw: random.Random, places: int) -> PrintedPoint:
    error = a_decimal(draw, places)
    turned = error[1:] if error.startswith("-") else f"-{error}"
    return PrintedPoint(
        nominal=a_decimal(draw, draw.randint(0, 3)),
        reference=a_decimal(draw, places),
        indication=a_decimal(draw, places),
        error=error,
        correction=turned if float(error) else error,
        U=f"{draw.randint(1, 99) / 10**places:.{places}f}",
        k=draw.choice(("2.00", "2.05", "1.65", "13.97")),
        u=f"{draw.randint(1, 99) / 10 ** (places + 1):.{places + 1}f}",
        lower=draw.choice((None, a_decimal(draw, 2))),
        upper=draw.choice((None, a_decimal(draw, 1))),
    )


def a_point(
    draw: random.Random, measurand: Measurand, stage: str, piece: int, *, judged: bool
) -> PointResult:
    """Return a point whose every text was drawn; the doubles beside it do not matter here."""
    shown = _printed(draw, draw.randint(0, 5))
    lines = tuple(
        BudgetLine(
            component=component.id,
            c=draw.uniform(-2, 2),
            u=draw.uniform(0, 1e-6),
            contribution=draw.uniform(0, 10),
            dof=draw.choice((None, 9.0)),
            percent=draw.uniform(0, 100),
            counted=draw.random() < 0.8,
        )
        for component in measurand.components
    )
    return PointResult(
        key=f"{measurand.id}/{stage}/{piece}/{shown.nominal}",
        measurand=measurand.id,
        stage=stage,  # type: ignore[arg-type]
        piece=piece,
        reference=0.0,
        indication=0.0,
        error=0.0,
        u=0.01,
        dof=draw.choice((None, 12.7)),
        k=2.0,
        U=draw.random(),
        cmc_applied=draw.random() < 0.3,
        readings=10,
        s=None,
        budget=lines,
        printed=shown,
        verdict=draw.choice(VERDICTS) if judged else "not_stated",  # type: ignore[arg-type]
        acceptance=draw.choice(((), ("-", "0.2"), ("-0.2", "0.20"))) if judged else (),
    )


def a_curve(draw: random.Random, measurand: Measurand, stage: str) -> CurveResult:
    """Return a curve of the second degree with two predictions, one of them beyond its range."""
    predictions = tuple(
        CurvePrediction(
            x=a_decimal(draw, 1), y=0.0, u_fit=0.0, u=0.0, k=2.0, U=0.0,
            printed="-0.1494(41)", printed_value=a_decimal(draw, 3), printed_U="0.012",
            extrapolated=beyond,
        )
        for beyond in (False, True)
    )  # fmt: skip
    names = zip(("y1", "y2", "y3"), ("-0.1712(29)", "0.0005(0)", "12(3)"), strict=True)
    return CurveResult(
        measurand=measurand.id,
        stage=stage,  # type: ignore[arg-type]
        piece=0,
        x="t_ind",
        y="correction",
        origin="20",
        low=0.01,
        high=100.0512345,
        parameters=tuple(CurveParameter(name, 0.0, 0.0, printed) for name, printed in names),
        correlation=((1.0,) * 3,) * 3,
        s=0.004,
        dof=1,
        residuals=(),
        predictions=predictions if measurand.output != "value" else (),
    )


def a_drawn_document(type_id: str, seed: int) -> CertificateDocument:
    """Return a document of a type: stages, pieces, rule, language and every number drawn."""
    draw = random.Random(f"{type_id}/{seed}")  # noqa: S311 -- the same numbers in every run
    definition = inputs.a_type(type_id)
    rule = DecisionRule(draw.choice(RULES))  # type: ignore[arg-type]
    record = inputs.an_input(type_id, (), decision_rule=rule, kind="calibration")
    record = replace(
        record,
        definition=replace(definition, examinations=()),
        examinations=(),
        conditions=(*record.conditions, ConditionInput("pressure", "kPa", "101.30")),
    )
    pieces = ("P-1", "P-2", "P-3") if definition.batch else ()
    if pieces:
        record = replace(record, item=replace(record.item, pieces=pieces))
    stages = draw.choice((("as_found",), ("as_found", "as_left")))
    points, curves = [], []
    for stage in stages:
        for measurand in definition.measurands:
            for piece in range(1, len(pieces) + 1) if pieces else (0,):
                points += [
                    a_point(draw, measurand, stage, piece, judged=rule.id != "none")
                    for _ in range(draw.randint(1, 4))
                ]
            if draw.random() < 0.5 and not pieces:
                curves.append(a_curve(draw, measurand, stage))
    verdict = draw.choice(VERDICTS) if rule.id != "none" else "not_stated"
    result = CalibrationResult(
        input_digest="c" * 64,
        points=tuple(points),
        curves=tuple(curves),
        pieces=tuple(PieceVerdict(n, verdict) for n in range(1, len(pieces) + 1))  # type: ignore[arg-type]
        or (PieceVerdict(0, verdict),),  # type: ignore[arg-type]
        verdict=verdict,  # type: ignore[arg-type]
        unconfirmed_limits=draw.choice(((), ("JJG 1000-2020",))),
        findings=(),
    )
    return a_document(
        record,
        result,
        language=draw.choice(("zh", "en", "zh+en")),
        include_budget=draw.random() < 0.5,
        amendment=draw.choice((None, Amendment("RD2026-000007", "serial mistyped < & >"))),
        deviations=draw.choice(((), ("one point less than 3 < 4", "another"))),
        remarks=("5 °C/min & “quoted”",),
        sampling=draw.choice(("", "at random")),
        next_due_on="2027-03-01",
        interval_agreed=draw.random() < 0.5,
    )
