"""What a type of instrument is and how it is measured: frozen values read from type files.

Numbers are decimal text exactly as the file gives them; trailing zeros are meaning. Knows nothing
of files, databases or arithmetic: the catalogue reads these, the evaluation uses them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from instruments.canonical import digest
from instruments.confirmed import Confirmed
from instruments.limits import sides, widening
from instruments.plain import from_plain, later, to_plain
from instruments.text import LocalizedText

Confidence = Literal["V", "V2", "CALC", "BG"]
"""How sure a figure is: V verified at its source, V2 verified at a secondary source, CALC computed
from such figures, BG background knowledge still to be confirmed. A BG limit may not decide a
certificate without a loud word."""
RecordKind = Literal["calibration", "verification", "check"]
Stage = Literal["as_found", "as_left"]
LegalClass = Literal["voluntary", "mandatory_first", "mandatory_periodic"]
DocumentRole = Literal["method", "limits", "product", "standard"]
Output = Literal["error", "correction", "relative_error", "value"]
"""What is reported at a point. ``value``: a property of the item that is no difference from a
reference, such as a uniformity, a repeatability or a leak."""
InputSource = Literal["standard", "item", "nominal", "condition", "rating", "derived"]
READ: tuple[InputSource, ...] = ("standard", "item")
"""Sources of inputs that a person reads at a point."""
Statistic = Literal[
    "mean", "maximum", "minimum", "range", "half_range", "standard_deviation", "change",
    "largest_deviation", "from_first",
]  # fmt: skip
"""What is made of many readings. ``change``: last minus first; ``largest_deviation``: the farthest
from their mean, its size; ``from_first``: the farthest from the first of them, its size."""
Over = Literal["readings", "positions", "means", "all"]
"""``readings``: of one input. Of inputs read together at several positions: ``positions``, at each
moment over the positions, then the mean over the moments; ``means``, over the mean of each
position; ``all``, over every reading at every position."""
Evaluate = Literal["A", "B", "certificate", "resolution"]
Distribution = Literal["normal", "rectangular", "triangular", "arcsine"]
FitKind = Literal["none", "polynomial", "callendar_van_dusen"]
PointOrder = Literal["any", "up", "down", "up_then_down"]
Sequence = Literal["any", "standard_item_item_standard"]


@dataclass(frozen=True, slots=True)
class GoverningDocument:
    """A regulation, specification or standard (JJG, JJF, ISO ...) the type rests on."""

    id: str
    """Number with edition, e.g. ``JJF 1107-2003``."""
    title: LocalizedText
    role: DocumentRole
    confidence: Confidence
    source: str = ""
    """Where the facts were read; empty only when confidence is BG."""
    note: LocalizedText | None = None
    issued_on: str | None = later(None)
    in_force_on: str | None = later(None)
    """ISO dates, where they are known."""
    replaces: tuple[str, ...] = later(())
    """Numbers of earlier documents or editions whose place it took."""
    replaced_by: str | None = later(None)
    """Set: this edition is no longer in force."""
    counterparts: tuple[str, ...] = later(())
    """Documents elsewhere on the same matter; their limits may differ."""


@dataclass(frozen=True, slots=True)
class EnvironmentLimit:
    """The range an influence quantity must keep while measuring."""

    quantity: Literal["temperature", "relative_humidity", "pressure"]
    unit: str
    document: str
    confidence: Confidence
    low: str | None = None
    high: str | None = None
    """One of low and high may be absent: a one-sided limit."""


@dataclass(frozen=True, slots=True)
class InputQuantity:
    """One input of the measurement function (VIM 2.50)."""

    label: LocalizedText
    source: InputSource
    """``standard``: read on the standard; ``item``: read on the item; ``nominal``: the point;
    ``condition``: the surroundings while measuring; ``rating``: a rated value of the model;
    ``derived``: made of other inputs."""
    unit: str
    quantity: str = later("")
    """Quantity of the standard that supports it; empty: that of the measurand."""
    readings: int | None = later(None)
    """How often it is read at a point; None: as often as the points say."""
    of: tuple[str, ...] = later(())
    """Derived: the inputs it is made of; condition and rating: the name of the one meant."""
    statistic: Statistic | None = later(None)
    over: Over = later("readings")
    reference: str = later("")
    """Derived by a published function of one input instead of a statistic, e.g.
    ``thermocouple_emf``; see the evaluation for their names."""
    parameters: Mapping[str, str] = later({})
    """Of the reference function, e.g. ``{"type": "K"}``; ``@name``: an attribute of the item."""
    function: str = later("")
    """Derived by an expression in the names of `of`, e.g. ``h/gain``."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """A repeatability known from the method's own record, used when readings are few."""

    s: str
    dof: str
    below: int = 6
    """Use it when there are fewer readings than this (domain practice, confidence BG)."""
    relative: bool = False
    """s is a fraction of the mean of the readings, as for flows over several decades."""


@dataclass(frozen=True, slots=True)
class Component:
    """One line of the uncertainty budget (VIM 2.33)."""

    id: str
    """Short symbol, unique in the measurand, e.g. ``d_bath``."""
    input: str
    """The input quantity of the function it belongs to; a name that is no declared input is an
    additive influence with value zero."""
    name: LocalizedText
    evaluate: Evaluate
    """``A``: scatter of the readings; ``B``: stated here; ``certificate``: value (correction) and U
    of the standard's certificate; ``resolution``: the item's resolution, rectangular."""
    distribution: Distribution = "rectangular"
    half_width: str | None = None
    relative_half_width: str | None = None
    """Fraction of |value of `of`|; the half-width is the sum of both parts."""
    of: str | None = None
    """Of a certificate: the derived input whose readings it corrects one by one. Of a fraction: an
    input, or ``@name`` for an attribute of the item."""
    U: str | None = None
    k: str | None = None
    u: str | None = None
    dof: str | None = None
    """Absent: infinite."""
    pooled: Pooled | None = None
    group: str | None = None
    """Components of one group describe the same effect: only the largest counts."""
    common: bool = False
    """The same error at every point (one standard): it does not average out in a fit."""
    confidence: Confidence = "BG"
    source: str = ""
    relative_U: str | None = later(None)
    """U as a fraction of |value of `of`|, with k."""
    start: str | None = later(None)
    end: str | None = later(None)
    """It counts from this nominal value on and below that one; absent: no end."""
    scatter_of: str = later("")
    """A: the scatter is that of these readings of another measurand, as ``repeatability.I``; the
    largest of its points in the same stage and piece, divided by the root of the number of own
    readings where it stands on an input that is read."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Limits of the output over a range of nominal values; one of the two may be absent.

    `lower` and `upper` are widened by `plus_fraction` * |x|, or replaced by `or_fraction` * |x|
    where that is larger (`choose` ``larger``) or smaller. ``@name``: what the item states.
    """

    document: str
    confidence: Confidence
    lower: str | None = None
    upper: str | None = None
    plus_fraction: str | None = None
    or_fraction: str | None = None
    choose: Literal["larger", "smaller"] = "larger"
    start: str | None = None
    """Lower end of the range of nominal values; absent: no end."""
    end: str | None = None
    start_included: bool = True
    end_included: bool = True
    clause: str = ""
    when: Mapping[str, str] = field(default_factory=dict)
    """Attributes the item must have, or the order: ``{"verification": "initial"}``."""
    plus_from: str | None = later(None)
    """`plus_fraction` counts from this size of the nominal value on, not from zero."""
    of_rating: str = later("")
    """The fractions are of this rated value of the model instead of the nominal value."""
    plus_inverse: str | None = later(None)
    """Widens both limits by this divided by |x|; then there is no limit at zero."""
    plus_rating: str = later("")
    plus_rating_fraction: str | None = later(None)
    """Widens both limits by this fraction of the rated value `plus_rating` of the model."""
    steps_of: str = later("")
    """`start` and `end` count in this rated value of the model, e.g. a scale interval."""
    confirmed: Confirmed | None = later(None)
    """By whom a BG figure was confirmed; no file says so, it is put in when a record is frozen."""

    def covers(self, nominal: Decimal) -> bool:
        """Answer whether the nominal value lies in the range of this limit."""
        if self.plus_inverse is not None and nominal == 0:
            return False
        if self.start is not None:
            start = Decimal(self.start)
            if nominal < start or (nominal == start and not self.start_included):
                return False
        if self.end is not None:
            end = Decimal(self.end)
            if nominal > end or (nominal == end and not self.end_included):
                return False
        return True

    def at(self, nominal: Decimal) -> tuple[Decimal | None, Decimal | None]:
        """Return (lower, upper) at the nominal value, exactly."""
        size = abs(nominal)
        more = widening(size, self.plus_fraction, self.plus_from, self.plus_inverse)
        other = None if self.or_fraction is None else Decimal(self.or_fraction) * size
        return sides(self.lower, self.upper, more, other, larger=self.choose == "larger")


@dataclass(frozen=True, slots=True)
class PointChoice:
    """Points for the models that have certain attributes."""

    when: Mapping[str, str]
    default: tuple[str, ...] = ()
    readings: int | None = None
    """None: as many as for other models."""
    step: str = later("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Where to measure and how often."""

    default: tuple[str, ...] = ()
    readings: int
    """Readings of each non-nominal input at each point."""
    confidence: Confidence
    document: str = ""
    minimum: int = 1
    """Fewest points a record may have."""
    low: str | None = None
    high: str | None = None
    """Nominal points outside are refused."""
    order: PointOrder = "any"
    fractions: tuple[str, ...] = later(())
    """Instead of `default`: fractions of the item's own range, 0 its low end, 1 its high end."""
    range_low: str = later("")
    range_high: str = later("")
    """Rated values of the model that are the ends of its range; no low end: zero."""
    alternatives: tuple[PointChoice, ...] = later(())
    """Other points for some models; the first that fits is taken."""
    sequence: Sequence = later("any")
    step: str = later("")
    """Instead of `default`: every multiple of it in the item's own range, and its ends."""


@dataclass(frozen=True, slots=True)
class FitSpec:
    """A curve fitted to the results over all points of one stage."""

    kind: FitKind = "none"
    degree: int = 1
    x: str = ""
    """Input the curve runs over, e.g. ``t_ind``."""
    origin: str = "0"
    """x0 of y = y1 + y2 (x - x0) + ..., in the unit of x."""
    y: Literal["correction", "error"] = "correction"
    predict: tuple[str, ...] = ()
    """Values of x printed by default; an order may name others."""


@dataclass(frozen=True, slots=True)
class Measurand:
    """One quantity measured on the instrument: function, points, budget, limits."""

    id: str
    name: LocalizedText
    quantity: str
    unit: str
    """Unit of points and readings."""
    output: Output
    output_unit: str
    function: str
    inputs: Mapping[str, InputQuantity]
    points: Points
    components: tuple[Component, ...]
    limits: tuple[Limit, ...] = ()
    fit: FitSpec = FitSpec()
    optional: bool = False
    """May be left out of a record (e.g. an alarm that the model does not have)."""
    reference: str = later("")
    indication: str = later("")
    """Inputs printed as reference value and indication, where the sources do not tell them."""
    same_readings_as: str = later("")
    """A measurand whose readings serve this one too: they are entered once."""
    when: Mapping[str, str] = later({})
    """Kinds of item that have this measurand, as in `Limit.when`; empty: all."""
    without_limits: tuple[Mapping[str, str], ...] = later(())
    """Kinds of item for which the documents give no limits, as in `Limit.when`."""


@dataclass(frozen=True, slots=True)
class Examination:
    """A qualitative part: appearance, retention of the maximum, alarm."""

    id: str
    name: LocalizedText
    document: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Rating:
    """A rated value on the nameplate of a model: full scale, ends of its range, division."""

    label: LocalizedText
    unit: str
    default: str | None = None
    """What most models have; None: it must be entered with the model."""
    confidence: Confidence = later("BG")


@dataclass(frozen=True, slots=True)
class StandardWanted:
    """A kind of measurement standard the method asks for."""

    id: str
    """Short word, e.g. ``blackbody``, ``prt``; a standard is registered as one of these kinds."""
    name: LocalizedText
    quantity: str
    inputs: tuple[str, ...] = ()
    """Inputs read on it, as ``measurand.input``; empty: any of its quantity."""


@dataclass(frozen=True, slots=True)
class InstrumentType:
    """A type of instrument, complete enough to measure it, judge it and word its certificate."""

    schema: int
    id: str
    version: str
    name: LocalizedText
    kinds: tuple[RecordKind, ...]
    legal_class: LegalClass
    documents: tuple[GoverningDocument, ...]
    measurands: tuple[Measurand, ...]
    environment: tuple[EnvironmentLimit, ...]
    standards_wanted: LocalizedText
    calibration_mode: Literal["required", "none"] = "none"
    batch: bool = False
    """Pieces of one lot are measured together and share a record."""
    stages: tuple[Stage, ...] = ("as_found", "as_left")
    """``as_left`` only where the type can be adjusted."""
    acclimatisation_minutes: int = 0
    variants: Mapping[str, Mapping[str, LocalizedText]] = field(default_factory=dict)
    """Attribute of a model and its values, e.g. ``pump``: syringe, infusion."""
    examinations: tuple[Examination, ...] = ()
    verification_kinds: tuple[Literal["initial", "subsequent", "in_service"], ...] = ()
    validity_months: int | None = None
    """Legal validity of a verification certificate; None with mandatory_first: none printed."""
    interval_months: int | None = None
    """Usual recalibration interval, proposed when an order asks for one."""
    interval_confidence: Confidence = "BG"
    ratings: Mapping[str, Rating] = later({})
    """Rated values a model of this type has, by name."""
    standards: tuple[StandardWanted, ...] = later(())
    """The kinds of standard behind `standards_wanted`."""
    validity_confidence: Confidence = later("BG")
    acclimatisation_confidence: Confidence = later("BG")

    def measurand(self, id_: str) -> Measurand:
        """Return the measurand with this id; KeyError when there is none."""
        return {measurand.id: measurand for measurand in self.measurands}[id_]

    def document(self, id_: str) -> GoverningDocument:
        """Return the governing document with this id; KeyError when there is none."""
        return {document.id: document for document in self.documents}[id_]

    def as_dict(self) -> dict[str, object]:
        """Return the plain form that is frozen into every calibration input."""
        plain: dict[str, object] = to_plain(self)
        return plain

    def digest(self) -> str:
        """Return the SHA-256 of the definition; id and version alone could be edited."""
        return digest(self.as_dict())

    @classmethod
    def from_dict(cls, plain: Mapping[str, object]) -> InstrumentType:
        """Read back what `as_dict` wrote."""
        return from_plain(cls, plain)
