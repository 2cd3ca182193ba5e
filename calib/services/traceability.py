"""Upward from a certificate or a standard towards the SI, and downward to what rests on it.

The number of statements does not depend on how long or how wide the chain is. Where it leaves what
the laboratory knows, and where it breaks, is said. Knows no drawing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from sqlalchemy import exists, func, or_, select

from calib.certificates.lint_traceability import names_lab
from calib.records.calibrations import Reading
from calib.records.certificates import Certificate, CertificateEvent
from calib.services import lookup
from instruments.context import Context
from instruments.records.instruments import Instrument
from instruments.records.models import InstrumentModel
from instruments.records.standards import MeasurementStandard, StandardCertificate
from instruments.services import labs
from instruments.services.standards import StandardView
from instruments.text import LocalizedText

MOST = 50
"""Certificates that are named below; the others are counted."""

End = Literal["", "outside", "unknown", "withdrawn", "superseded", "nothing", "circle"]
"""How a chain ends: ``outside``, at another institute, which is how it should; ``unknown``, at a
certificate of the laboratory itself that is not here; at one that counts no more; at one that names
no standard; in a circle. Empty: it goes on."""
Problem = Literal["", "ran_out", "too_late"]


@dataclass(frozen=True, slots=True)
class Node:
    """A certificate on the way: of a standard, or of the laboratory for one."""

    number: str
    issuer: str
    calibrated_on: str
    valid_until: str
    code: str
    """The laboratory's number of the standard it was made for."""
    name: LocalizedText
    standard_id: int | None
    certificate_id: int | None
    """Where the laboratory issued it itself."""
    end: End


@dataclass(frozen=True, slots=True)
class Branch:
    """A certificate something rests on, with what it rests on itself."""

    node: Node
    problem: Problem
    """What was wrong with resting on it on that day."""
    is_again: bool
    """It stands further up already: what it rests on is told there."""
    rests_on: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """A certificate of the laboratory that rests on a standard."""

    id: int
    number: str
    performed_on: date
    state: str
    item: str


@dataclass(frozen=True, slots=True)
class Chain:
    """A certificate or standard with what is above and below it."""

    rests_on: tuple[Branch, ...]
    used: int
    """Certificates that were issued with it."""
    uses: tuple[Use, ...]
    """The newest of them."""
    still: int
    """Of those used, how many still count."""

    def branches(self) -> Iterator[Branch]:
        """Yield every branch, each once."""
        waiting = list(self.rests_on)
        while waiting:
            one = waiting.pop(0)
            yield one
            waiting += one.rests_on

    @property
    def is_broken(self) -> bool:
        """Answer whether any way up ends where it should not, or rested on what did not hold."""
        if not self.rests_on:
            return True
        return any(one.problem or one.node.end not in ("", "outside") for one in self.branches())


def of_certificate(ctx: Context, certificate_id: int) -> Chain:
    """Return the chain of a certificate of the laboratory.

    Raises
    ------
    NotFound
        The lab has no such certificate or the actor may not see it.
    """
    ctx.need("certificate.read")
    number = lookup.certificate(ctx, certificate_id).number
    known = _known(ctx, certificate_id)
    root = known.issued[number]
    way = _Way(known, [number])
    up = tuple(way.up(one, root.performed_on) for one in root.standards)
    own = [row.id for row in known.registered.get(number, ()) if known.is_own(row.issuer)]
    return Chain(up, *_below(ctx, own))


def of_standard(ctx: Context, standard: StandardView) -> Chain:
    """Return the chain of a standard: of its newest certificate up, of all of them down."""
    ctx.need("standard.read")
    known = _known(ctx, None)
    newest = next((c for c in standard.certificates if c.replaced_by_id is None), None)
    up: tuple[Branch, ...] = ()
    if newest is not None:
        said = {"certificate_number": newest.number, "issuer": newest.issuer}
        up = (_Way(known, []).up(said, ctx.today.isoformat()),)
    return Chain(up, *_below(ctx, [c.id for c in standard.certificates]))


@dataclass(frozen=True, slots=True)
class _Issued:
    """What is needed of a certificate of the laboratory itself."""

    id: int
    performed_on: str
    standing: str
    standards: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Known:
    """The register of standards, and the laboratory's own certificates in it."""

    lab: tuple[str, str]
    registered: Mapping[str, Sequence[Any]]
    """Rows of certificates of standards by number, the newest edition first."""
    issued: Mapping[str, _Issued]

    def is_own(self, issuer: str) -> bool:
        return names_lab(issuer, *self.lab)


def _known(ctx: Context, certificate_id: int | None) -> _Known:
    lab = labs.get_lab(ctx)
    names = (lab.name.en, lab.name.zh)
    rows = ctx.session.execute(
        select(
            StandardCertificate.id,
            StandardCertificate.number,
            StandardCertificate.issuer,
            StandardCertificate.calibrated_on,
            StandardCertificate.valid_until,
            StandardCertificate.standard_id,
            MeasurementStandard.code,
            MeasurementStandard.name_en,
            MeasurementStandard.name_zh,
        )
        .join(MeasurementStandard, MeasurementStandard.id == StandardCertificate.standard_id)
        .order_by(StandardCertificate.id.desc())
    )
    registered: dict[str, list[Any]] = {}
    for row in rows:
        registered.setdefault(row.number, []).append(row)
    own = [n for n, found in registered.items() if any(names_lab(r.issuer, *names) for r in found)]
    return _Known(names, registered, _issued(ctx, own, certificate_id))


def _issued(ctx: Context, numbers: Sequence[str], certificate_id: int | None) -> dict[str, _Issued]:
    happened = _happened()
    rows = ctx.session.execute(
        select(
            Certificate.id,
            Certificate.number,
            Certificate.payload,
            Certificate.performed_on,
            *(one.label(name) for name, one in happened.items()),
        ).where(or_(Certificate.number.in_(numbers), Certificate.id == certificate_id))
    )
    return {
        row.number: _Issued(
            row.id,
            row.performed_on.isoformat(),
            _standing(row),
            json.loads(row.payload)["document"]["measurement"]["standards"],
        )
        for row in rows
    }


def _happened() -> dict[str, Any]:
    return {
        event: exists().where(
            CertificateEvent.certificate_id == Certificate.id, CertificateEvent.event == event
        )
        for event in ("issued", "superseded", "withdrawn", "void")
    }


def _standing(row: Any) -> str:
    for state in ("void", "withdrawn", "superseded", "issued"):
        if getattr(row, state):
            return state
    return "reserved"


@dataclass(slots=True)
class _Way:
    """The way up: what was met on it, so that no circle is walked twice."""

    known: _Known
    path: list[str]
    told: set[tuple[str, str]] = field(default_factory=set)

    def up(self, said: Mapping[str, Any], on: str) -> Branch:
        """Return one step with all above it; `on` is the day something rested on it."""
        number, issuer = said["certificate_number"], said["issuer"]
        row = next((r for r in self.known.registered.get(number, ()) if r.issuer == issuer), None)
        node = self._node(said, row)
        key = (number, issuer)
        is_again = key in self.told
        self.told.add(key)
        above: tuple[Branch, ...] = ()
        if not node.end and not is_again:
            issued = self.known.issued[number]
            self.path.append(number)
            above = tuple(self.up(one, issued.performed_on) for one in issued.standards)
            self.path.pop()
        return Branch(node, _problem(node, on), is_again, above)

    def _node(self, said: Mapping[str, Any], row: Any) -> Node:
        number, issuer = said["certificate_number"], said["issuer"]
        issued = self.known.issued.get(number) if self.known.is_own(issuer) else None
        name = said.get("name") or {}
        return Node(
            number=number,
            issuer=issuer,
            calibrated_on=_day(row.calibrated_on) if row else said.get("calibrated_on", ""),
            valid_until=(_day(row.valid_until) if row else said.get("valid_until")) or "",
            code=row.code if row else said.get("key", ""),
            name=LocalizedText(en=row.name_en, zh=row.name_zh)
            if row
            else LocalizedText.from_dict(name),
            standard_id=row.standard_id if row else None,
            certificate_id=issued.id if issued else None,
            end=self._end(number, issuer, issued),
        )

    def _end(self, number: str, issuer: str, issued: _Issued | None) -> End:
        if not self.known.is_own(issuer):
            return "outside"
        if issued is None or issued.standing in ("reserved", "void"):
            return "unknown"
        if issued.standing in ("withdrawn", "superseded"):
            return "withdrawn" if issued.standing == "withdrawn" else "superseded"
        if number in self.path:
            return "circle"
        return "" if issued.standards else "nothing"


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _problem(node: Node, on: str) -> Problem:
    if node.calibrated_on and node.calibrated_on > on:
        return "too_late"
    return "ran_out" if node.valid_until and node.valid_until < on else ""


def _below(ctx: Context, certificate_ids: Sequence[int]) -> tuple[int, tuple[Use, ...], int]:
    """Return how many certificates rest on these, the newest of them, and how many still count."""
    if not certificate_ids or not ctx.actor.is_staff:
        return 0, (), 0
    happened = _happened()
    read = select(Reading.calibration_id).where(
        Reading.standard_certificate_id.in_(certificate_ids)
    )
    rests = (Certificate.calibration_id.in_(read), happened["issued"], ~happened["void"])
    gone = or_(happened["superseded"], happened["withdrawn"])
    used, still = ctx.session.execute(
        select(func.count(), func.count().filter(~gone)).select_from(Certificate).where(*rests)
    ).one()
    rows = ctx.session.execute(
        select(
            Certificate.id,
            Certificate.number,
            Certificate.performed_on,
            Instrument.serial,
            InstrumentModel.maker,
            InstrumentModel.model,
            *(one.label(name) for name, one in happened.items()),
        )
        .join(Instrument, Instrument.id == Certificate.instrument_id)
        .join(InstrumentModel, InstrumentModel.id == Instrument.model_id)
        .where(*rests)
        .order_by(Certificate.performed_on.desc(), Certificate.id.desc())
        .limit(MOST)
    )
    uses = tuple(
        Use(
            row.id,
            row.number,
            row.performed_on,
            _standing(row),
            " ".join(part for part in (row.maker, row.model, row.serial) if part),
        )
        for row in rows
    )
    return used, uses, still
