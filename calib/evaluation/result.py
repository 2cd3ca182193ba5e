"""CalibrationResult: what the arithmetic gave, in full and as printed.

Doubles are kept to 12 significant digits (beyond that processors differ, and the bytes must not);
beside them stands the decimal text that certificates print, rounded once from the full value. The
certificate is made from this alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from instruments.canonical import canonical_json
from instruments.confirmed import Confirmed
from instruments.plain import from_plain, later, to_plain
from instruments.procedure import Confidence, Stage

RESULT_FORMAT = 1

Verdict = Literal[
    "pass",
    "conditional_pass",
    "undetermined",
    "conditional_fail",
    "fail",
    "cannot_be_stated",
    "not_stated",
    "not_calibratable",
]
"""``not_stated``: no statement was agreed. ``cannot_be_stated``: agreed, but a limit, a point or
U is missing. ``not_calibratable``: the item gives no access to its measurement (no known
calibration mode); that is not a failure."""


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One component at one point."""

    component: str
    c: float
    """Sensitivity coefficient, output unit per input unit."""
    u: float
    contribution: float
    """|c| u, output unit."""
    dof: float | None
    percent: float
    counted: bool = True
    """False: a larger component of the same group stands for it."""


@dataclass(frozen=True, slots=True)
class PrintedPoint:
    """The decimal text of one point, exactly as every certificate, page and file shows it."""

    nominal: str
    reference: str
    indication: str
    error: str
    correction: str
    U: str
    k: str
    u: str
    lower: str | None = None
    upper: str | None = None


@dataclass(frozen=True, slots=True)
class PointResult:
    """The result at one point."""

    key: str
    measurand: str
    stage: Stage
    piece: int
    reference: float
    """Corrected reference value."""
    indication: float
    """Mean indication (or the set value, where the type compares that)."""
    error: float
    """In the output unit; relative errors in per cent."""
    u: float
    dof: float | None
    """Effective degrees of freedom, unrounded; None: infinite."""
    k: float
    U: float
    """Reported expanded uncertainty: k u, raised to the CMC where that is larger."""
    cmc_applied: bool
    readings: int
    s: float | None
    """Experimental standard deviation of the item's readings; None with one reading."""
    budget: tuple[BudgetLine, ...]
    printed: PrintedPoint
    verdict: Verdict
    conformance_probability: float | None = None
    limit_origin: Literal["type", "maker", "customer"] | None = None
    limit_document: str = ""
    limit_confidence: Confidence | None = None
    limit_confirmed: Confirmed | None = later(None)
    """Who of the lab compared a BG limit with its document."""
    acceptance: tuple[str, ...] = ()
    """Acceptance limits (lower, upper) as text; ``-`` where one-sided; empty without a rule."""


@dataclass(frozen=True, slots=True)
class CurveParameter:
    """One parameter of a fitted curve."""

    name: str
    value: float
    u: float
    printed: str
    """Concise: ``-0.1712(29)``."""


@dataclass(frozen=True, slots=True)
class CurvePrediction:
    """The curve at one value of x."""

    x: str
    y: float
    u_fit: float
    """Standard uncertainty from the fit alone."""
    u: float
    """Combined with what is common to all points."""
    k: float
    U: float
    printed: str
    """Value with the standard uncertainty of the fit, concise: ``-0.1494(41)``."""
    printed_value: str
    printed_U: str
    extrapolated: bool


@dataclass(frozen=True, slots=True)
class CurveResult:
    """A curve fitted over all points of one measurand, stage and piece."""

    measurand: str
    stage: Stage
    piece: int
    x: str
    y: Literal["correction", "error"]
    origin: str
    low: float
    high: float
    """Range of x the points cover; outside it the curve is marked."""
    parameters: tuple[CurveParameter, ...]
    correlation: tuple[tuple[float, ...], ...]
    s: float | None
    dof: int
    residuals: tuple[float, ...]
    predictions: tuple[CurvePrediction, ...]


@dataclass(frozen=True, slots=True)
class PieceVerdict:
    """The verdict on one piece of a batch (piece 0: the item itself)."""

    piece: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class FoundFinding:
    """A finding of the checks, in plain values."""

    code: str
    severity: Literal["error", "warning", "note"]
    message: str
    at: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    clause: str = ""
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class CalibrationResult:
    """All that a certificate may say of the measurement."""

    input_digest: str
    points: tuple[PointResult, ...]
    curves: tuple[CurveResult, ...]
    pieces: tuple[PieceVerdict, ...]
    """One per piece, over all measurands, of the last stage measured."""
    verdict: Verdict
    """Of the whole record: the worst of the pieces for an item; for a batch ``pass`` means that the
    pieces not listed as rejected conform."""
    unconfirmed_limits: tuple[str, ...]
    """Documents whose limits decided here and are still unconfirmed (BG): the loud word."""
    findings: tuple[FoundFinding, ...]
    format: int = RESULT_FORMAT

    @property
    def passed_of(self) -> tuple[int, int] | None:
        """Return how many pieces pass of how many; None unless some of a batch do not.

        Where there is one, the verdict alone must not be shown: it speaks of the rest of the batch.
        """
        pieces = [piece.verdict for piece in self.pieces if piece.piece]
        passed = pieces.count("pass")
        return None if self.verdict == "not_stated" or passed == len(pieces) else (
            passed, len(pieces)
        )  # fmt: skip

    @property
    def stated(self) -> str:
        """Return the verdict as one word that may stand alone: with rejects it is no ``pass``."""
        is_rest = self.verdict == "pass" and self.passed_of is not None
        return "pass_of_rest" if is_rest else self.verdict

    def as_dict(self) -> dict[str, Any]:
        """Return the plain form."""
        return {"kind": "calibration", "result": to_plain(self)}

    def canonical(self) -> bytes:
        """Return the bytes that are stored and hashed."""
        return canonical_json({"kind": "calibration", "result": self})

    def digest(self) -> str:
        """Return the SHA-256 of `canonical`."""
        return hashlib.sha256(self.canonical()).hexdigest()

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> CalibrationResult:
        """Read back what `as_dict` wrote; NotPlain names what is wrong."""
        return from_plain(cls, plain["result"], "/result")
