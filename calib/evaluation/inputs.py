"""CalibrationInput: everything a result rests on, frozen before any arithmetic.

With it alone the result can be computed again, byte for byte, without the database or the
catalogue. Values are decimal text as entered. Knows nothing of rows, sessions or pages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from calib.evaluation.definitions import settled, with_known_definition
from instruments.canonical import canonical_json
from instruments.plain import from_plain, later, members, to_plain
from instruments.procedure import InstrumentType, Limit, RecordKind, Stage
from instruments.text import LocalizedText

INPUT_FORMAT = 1
"""Version of this form; rises when a field changes its meaning, never when one is added with a
default."""

RuleId = Literal[
    "none",
    "regulation",
    "simple",
    "guard_U",
    "guard_U_nonbinary",
    "guard_rU",
    "iso14253_1",
    "z5403",
    "tur4",
    "jjf1094",
    "probability",
]
"""Agreed decision rule. ``none``: no statement was asked. ``regulation``: the rule inherent in a
verification regulation, the error compared with the limits, U judged when it was written."""


@dataclass(frozen=True, slots=True)
class ReadingInput:
    """One reading as it was entered."""

    id: str
    """Names the row it came from; used in messages only."""
    value: str
    """Decimal text, trailing zeros kept."""
    standard: str | None = None
    """Key of the standard that supports it; readings of the item may name the one beside it."""


@dataclass(frozen=True, slots=True)
class PointInput:
    """The readings at one point of one measurand, stage and piece."""

    key: str
    """Stable place in the record, e.g. ``temperature/as_found/0/37.0`` (measurand, stage, piece,
    nominal; a second visit to the same nominal value appends ``#2``)."""
    measurand: str
    stage: Stage
    piece: int
    """0: the item itself; 1, 2, ...: the piece of a batch."""
    nominal: str
    readings: Mapping[str, tuple[ReadingInput, ...]]
    """By input name; inputs with source ``nominal`` are absent."""


@dataclass(frozen=True, slots=True)
class StandardValue:
    """One line of a standard's calibration certificate."""

    indication: str
    reference: str
    U: str
    k: str
    dof: str | None = None
    """Absent: infinite."""


@dataclass(frozen=True, slots=True)
class StandardInput:
    """A measurement standard with the certificate that was in force."""

    key: str
    name: LocalizedText
    model: str
    serial: str
    quantity: str
    unit: str
    certificate_number: str
    issuer: str
    calibrated_on: str
    """ISO date."""
    valid_until: str | None
    values: tuple[StandardValue, ...]
    """Ordered by indication."""
    low: str | None = None
    high: str | None = None
    """Range the certificate states, for a table of a single value."""


@dataclass(frozen=True, slots=True)
class ConditionInput:
    """An influence quantity observed while measuring."""

    quantity: Literal["temperature", "relative_humidity", "pressure"]
    unit: str
    value: str
    when: Literal["start", "end"] = "start"


@dataclass(frozen=True, slots=True)
class ItemInput:
    """What is known of the item that bears on its result."""

    maker: str
    model: str
    serial: str
    resolution: Mapping[str, str] = field(default_factory=dict)
    """Resolution by measurand, in the measurand's unit."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Variant values (``pump``: ``syringe``) and the kind of verification (``verification``)."""
    calibration_mode: str | None = None
    """How the mode was reached (key sequence); None: not known."""
    pieces: tuple[str, ...] = ()
    """Serial or running numbers of a batch, in the order of `PointInput.piece`."""


@dataclass(frozen=True, slots=True)
class AgreedLimits:
    """The limits of one measurand that the statement of conformity is made against."""

    origin: Literal["type", "maker", "customer"]
    rows: tuple[Limit, ...]
    """Already chosen for the item's attributes."""


@dataclass(frozen=True, slots=True)
class CMCRow:
    """One line of the accreditation scope: U is never reported smaller (ILAC-P14)."""

    measurand: str
    low: str
    high: str
    U: str
    U_fraction: str = "0"
    """U_cmc(x) = U + U_fraction |x|, in the unit of the output."""
    document: str = ""


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """The rule agreed on the order (ISO/IEC 17025 7.1.3)."""

    id: RuleId
    parameter: str | None = None
    """r of ``guard_rU``, the minimum of ``probability``."""


@dataclass(frozen=True, slots=True)
class Rounding:
    """How U and values are rounded for print."""

    mode: Literal["half_even", "ceil", "ceil_if_gt_5pct"] = "ceil_if_gt_5pct"
    digits: int = 2


@dataclass(frozen=True, slots=True)
class ExaminationInput:
    """The finding of a qualitative part."""

    id: str
    passed: bool
    remark: str = ""
    rejected_pieces: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CalibrationInput:
    """A frozen record: what was measured, with what, against what, by which rule."""

    kind: RecordKind
    definition: InstrumentType
    item: ItemInput
    performed_on: str
    """ISO date of the (last) measurement, in the lab's zone."""
    points: tuple[PointInput, ...]
    standards: tuple[StandardInput, ...]
    conditions: tuple[ConditionInput, ...]
    decision_rule: DecisionRule
    limits: Mapping[str, AgreedLimits] = field(default_factory=dict)
    """By measurand; absent: no statement can be made on it."""
    cmc: tuple[CMCRow, ...] = ()
    rounding: Rounding = Rounding()
    acclimatisation_minutes: int | None = None
    examinations: tuple[ExaminationInput, ...] = ()
    predict: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By measurand: where the fitted curve is printed; absent: where the type says."""
    accepted_warnings: tuple[str, ...] = ()
    """``code@place`` of the warnings a person has looked at and accepted."""
    format: int = INPUT_FORMAT
    simulated: bool = later(False)  # noqa: FBT003 -- the default of a field, not a flag of a call
    """Its readings come from the generator, not from an instrument; said wherever it shows."""

    def as_dict(self) -> dict[str, Any]:
        """Return the plain form, a task of ``calib compute`` with its ``kind`` of task."""
        return {"kind": "calibration", "input": to_plain(self)}

    def canonical(self) -> bytes:
        """Return the bytes that are stored, hashed and signed."""
        written = members(self) | {"definition": settled(self.definition).text}
        return canonical_json({"kind": "calibration", "input": written})

    def digest(self) -> str:
        """Return the SHA-256 of `canonical`."""
        return hashlib.sha256(self.canonical()).hexdigest()

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> CalibrationInput:
        """Read back what `as_dict` wrote; NotPlain names what is wrong."""
        return from_plain(cls, with_known_definition(plain["input"]), "/input")
