"""What entries of one record are checked against, and on which standard each of them was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from calib.services.calibration_views import Plan, ReadingView
from calib.services.reading_entry import ReadingEntry, Slot
from calib.services.supporting import CertifiedStandard, certified_standards, inputs_on
from instruments.context import Context
from instruments.errors import Invalid
from instruments.procedure import InputQuantity, InstrumentType
from instruments.services.rows import not_found


@dataclass(frozen=True, slots=True)
class Desk:
    """What entries are checked against."""

    definition: InstrumentType
    plan: Plan
    current: Mapping[Slot, ReadingView]
    certificates: Mapping[int, CertifiedStandard]
    """Those the entries name, and those of the plan where it names several."""


def desk_of(
    ctx: Context,
    definition: InstrumentType,
    plan: Plan,
    entries: Sequence[ReadingEntry],
    stands: Sequence[ReadingView],
) -> Desk:
    """Return the desk of a record for some entries; `stands` are its readings, oldest first."""
    ctx.need("calibration.enter")
    named = {e.standard_certificate_id for e in entries if e.standard_certificate_id is not None}
    named |= {id_ for ids in plan.standards.values() if len(ids) > 1 for id_ in ids}
    certified = certified_standards(ctx, sorted(named)) if named else ()
    return Desk(
        definition=definition,
        plan=plan,
        current={reading.slot: reading for reading in stands},
        certificates={one.certificate_id: one for one in certified},
    )


def standard_of(desk: Desk, entry: ReadingEntry, quantity: InputQuantity, at: str) -> int | None:
    """Return the certificate that supports the reading; a reading of the item may name none.

    Raises
    ------
    NotFound, Invalid
    """
    given = entry.standard_certificate_id
    if given is not None:
        if given not in desk.certificates:
            raise not_found("certificate of a standard", given, f"{at}/standard_certificate_id")
        return given
    if quantity.source != "standard":
        return None
    planned = desk.plan.standards.get(entry.measurand, ())
    if len(planned) > 1:
        measurand = desk.definition.measurand(entry.measurand)
        planned = tuple(
            id_
            for id_ in planned
            if entry.input in inputs_on(desk.definition, measurand, desk.certificates[id_])
        )
    if len(planned) != 1:
        raise Invalid(
            "standard-not-named",
            "The reading {value} of {input} at {point} names no standard, and the plan names "
            "{count} for {measurand}. Say which standard was read.",
            at=f"{at}/standard_certificate_id",
            facts={
                "value": entry.value,
                "input": entry.input,
                "point": entry.point,
                "count": len(planned),
                "measurand": entry.measurand,
            },
            clause="ISO/IEC 17025:2017 6.5",
        )
    return planned[0]
