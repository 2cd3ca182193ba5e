"""What a reading of an instrument means today, by the certificate that speaks for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from calib.evaluation.correcting import CorrectedReading, corrected
from calib.evaluation.result import CalibrationResult
from calib.records.calibrations import Calibration, Evaluation
from calib.records.certificates import Certificate
from calib.services.board import BoardItem, card
from instruments.catalogue.loader import Catalogue
from instruments.context import Context
from instruments.errors import Refused
from instruments.procedure import InstrumentType, Measurand
from instruments.services.rows import not_found


@dataclass(frozen=True, slots=True)
class Readable:
    """An instrument whose readings can be corrected, and by what."""

    item: BoardItem
    type: InstrumentType
    """As it was when the certificate was made."""
    measurands: tuple[Measurand, ...]
    performed_on: date
    is_other_mode: bool
    """The certificate speaks of the calibration mode, which is not the mode it is used in."""
    result: CalibrationResult


def readable(ctx: Context, instrument_id: int, *, catalogue: Catalogue) -> Readable:
    """Return what the readings of an instrument can be corrected by.

    Raises NotFound, Refused when no certificate that states values speaks for it.
    """
    item = card(ctx, instrument_id, catalogue=catalogue)
    if item is None:
        raise not_found("instrument", instrument_id)
    row = ctx.session.execute(
        select(Evaluation.result_json, Calibration.definition, Certificate.performed_on)
        .join(Certificate, Certificate.evaluation_id == Evaluation.id)
        .join(Calibration, Calibration.id == Certificate.calibration_id)
        .where(
            Certificate.instrument_id == instrument_id,
            Certificate.token == item.certificate_token,
            Certificate.kind.in_(("calibration_certificate", "verification_certificate")),
        )
    ).one_or_none()
    if row is None:
        raise Refused(
            "nothing-to-correct-by",
            "No certificate with values speaks for this instrument, so nothing is known of its "
            "readings. Request a calibration.",
        )
    type_ = InstrumentType.from_dict(row.definition)
    result = CalibrationResult.from_dict(json.loads(row.result_json))
    stated = {point.measurand for point in result.points if point.piece == 0}
    return Readable(
        item=item,
        type=type_,
        measurands=tuple(
            one
            for one in type_.measurands
            if one.id in stated
            and one.output in ("error", "correction")
            and one.unit == one.output_unit
        ),
        performed_on=row.performed_on,
        is_other_mode=type_.calibration_mode == "required",
        result=result,
    )


def correct(found: Readable, measurand_id: str, reading: str) -> CorrectedReading:
    """Correct a reading.

    Raises NotFound for a quantity the certificate does not state, and what `corrected` raises.
    """
    for measurand in found.measurands:
        if measurand.id == measurand_id:
            return corrected(found.result.points, measurand, reading)
    raise not_found("measurand", measurand_id, "/measurand")
