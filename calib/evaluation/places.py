"""Where things stand in a record: the last stage of a piece, rejected pieces, words for messages.

Knows the frozen input alone.
"""

from __future__ import annotations

from calib.evaluation.inputs import CalibrationInput, PointInput
from instruments.procedure import Measurand, Stage


def last_stages(record: CalibrationInput) -> dict[tuple[str, int], Stage]:
    """Return the last stage measured by (measurand, piece): as left where there is one."""
    stages: dict[tuple[str, int], Stage] = {}
    for point in record.points:
        place = (point.measurand, point.piece)
        if point.stage == "as_left" or place not in stages:
            stages[place] = point.stage
    return stages


def numbers_of_pieces(record: CalibrationInput) -> tuple[int, ...]:
    """Return 1, 2, ... for a batch; 0 is the item itself."""
    return tuple(range(1, len(record.item.pieces) + 1)) or (0,)


def rejected_by_examination(record: CalibrationInput) -> frozenset[int]:
    """Return the pieces that a qualitative part rejects; all when it names none of a batch.

    Without an agreed rule nothing is judged and so nothing rejected.
    """
    if record.decision_rule.id == "none":
        return frozenset()
    return frozenset(
        piece
        for examination in record.examinations
        if not examination.passed
        for piece in examination.rejected_pieces or numbers_of_pieces(record)
    )


def facts_of(point: PointInput, measurand: Measurand) -> dict[str, object]:
    """Return the words by which messages name a point."""
    return {
        "measurand": point.measurand,
        "nominal": point.nominal,
        "unit": measurand.unit,
        "stage": point.stage,
        "piece": point.piece,
    }
