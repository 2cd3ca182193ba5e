"""What the demo's technicians would have read: the same readings every time the world is built.

They come from the simulator, by the standards the record was planned with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from calib.evaluation.inputs import AgreedLimits, CalibrationInput, StandardInput
from calib.services.calibration_views import CalibrationView
from calib.services.readings import ReadingEntry
from calib.services.supporting import StandardCandidate
from calib.simulation.character import Grade
from calib.simulation.model import Model, prepare
from calib.simulation.simulate import Wanted, simulate
from instruments.plain import from_plain
from instruments.procedure import Limit, RecordKind
from instruments.services.models import ModelView

SEED = 2020


def measured(
    record: CalibrationView,
    model: ModelView,
    candidates: Sequence[StandardCandidate],
    number: int,
    grade: Grade,
) -> CalibrationInput:
    """Return what was read on the demo's instrument of this number."""
    ready = prepare(
        Model(
            record.definition,
            kind=cast("RecordKind", record.kind),
            attributes=record.attributes,
            resolution=model.resolution,
            standards=_standards(record, candidates),
            points={m: points for m, points in record.plan.points.items() if points},
            limits={
                m: AgreedLimits("maker", tuple(from_plain(Limit, row) for row in rows))
                for m, rows in model.maker_limits.items()
            },
            pieces=len(record.plan.pieces) or 1,
        )
    )
    wanted = Wanted(grade=grade, all_passed=True)
    (found,) = simulate(ready, SEED, [number], wanted)
    return found.record


def _standards(
    record: CalibrationView, candidates: Sequence[StandardCandidate]
) -> dict[str, StandardInput]:
    planned = [
        c for c in candidates if c.certificate_id in record.plan.standards.get(c.measurand, ())
    ]
    return {f"{c.measurand}.{name}": c.standard for c in planned for name in c.inputs}


def entries_of(simulated: CalibrationInput) -> list[ReadingEntry]:
    """Return the readings as they are entered."""
    return [
        ReadingEntry(
            measurand=point.measurand,
            stage=point.stage,
            piece=point.piece,
            point=point.key.rpartition("/")[2],
            input=name,
            place=place,
            value=reading.value,
            revision=0,
        )
        for point in simulated.points
        for name, series in point.readings.items()
        for place, reading in enumerate(series)
    ]
