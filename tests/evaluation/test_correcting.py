"""A reading corrected by the points of a certificate: signs, ends, the worse of two neighbours."""

from __future__ import annotations

import dataclasses
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calib.evaluation.correcting import corrected
from instruments.errors import Invalid, Refused
from tests.support.builders import the_catalogue
from tests.support.dcc_documents import a_point

FOREHEAD = the_catalogue().get("thermometer.infrared_forehead").measurands[0]


def points(*rows: tuple[str, str, str], stage: str = "as_found", piece: int = 0):
    """Return points from indication, error and U as printed."""
    return tuple(
        dataclasses.replace(
            (point := a_point(SAME, FOREHEAD, stage, piece, judged=False)),
            measurand=FOREHEAD.id, stage=stage, piece=piece,
            indication=float(shown), error=float(error), U=float(U),
            printed=dataclasses.replace(point.printed, indication=shown, error=error, U=U),
        )
        for shown, error, U in rows
    )  # fmt: skip


SAME = random.Random(1)  # noqa: S311 -- no secret
ROWS = (("35.10", "0.10", "0.12"), ("37.30", "0.30", "0.15"), ("41.00", "-0.20", "0.12"))


@pytest.mark.parametrize(
    ("reading", "correction", "value", "U"),
    [
        ("35.1", "-0.10", "35.00", "0.12"),
        ("37.3", "-0.30", "37.00", "0.15"),
        ("36.2", "-0.20", "36.00", "0.15"),  # half way; the worse neighbour's U
        ("41.00", "+0.20", "41.20", "0.12"),
        ("39.15", "-0.05", "39.10", "0.15"),
    ],
)
def test_the_correction_is_minus_the_error_and_runs_straight(reading, correction, value, U):
    found = corrected(points(*ROWS), FOREHEAD, reading)
    assert (found.correction, found.value, found.U) == (correction, value, U)


def test_a_type_that_reports_corrections_keeps_their_sign():
    stated = dataclasses.replace(FOREHEAD, output="correction")
    assert corrected(points(*ROWS), stated, "35.1").correction == "+0.10"


@pytest.mark.parametrize("reading", ["35.09", "41.01", "0", "-5"])
def test_beyond_the_points_nothing_is_said(reading):
    with pytest.raises(Invalid) as stop:
        corrected(points(*ROWS), FOREHEAD, reading)
    assert stop.value.code == "reading-beyond-points"


def test_what_was_adjusted_is_read_by_what_was_found_after():
    before, after = (
        points(*ROWS),
        points(("36", "0.00", "0.1"), ("38", "0.00", "0.1"), stage="as_left"),
    )
    assert corrected((*before, *after), FOREHEAD, "37").correction == "+0.0"


def test_other_pieces_and_outputs_give_no_correction():
    for given_points, measurand in (
        (points(*ROWS, piece=2), FOREHEAD),
        ((), FOREHEAD),
        (points(*ROWS), dataclasses.replace(FOREHEAD, output="value")),
        (points(*ROWS), dataclasses.replace(FOREHEAD, output_unit="percent")),
    ):
        with pytest.raises(Refused) as stop:
            corrected(given_points, measurand, "37")
        assert stop.value.code == "no-correction"


@given(st.decimals("35.10", "41.00", places=2))
def test_the_correction_lies_between_its_neighbours(reading):
    found = corrected(points(*ROWS), FOREHEAD, str(reading))
    assert -0.30 <= float(found.correction) <= 0.20
    assert abs(float(found.value) - float(reading) - float(found.correction)) < 0.0101
