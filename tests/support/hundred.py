"""A hundred certificates as unlike each other as a lab can make them, sealed and logged."""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from calib.evaluation.inputs import CalibrationInput
from calib.services import circumstances, evaluation, issue, planning, readings, review
from calib.services.publishing import publish
from calib.simulation.character import Grade
from calib.simulation.model import Model, Ready, prepare
from calib.simulation.simulate import Wanted, simulate
from calib.simulation.standards import Made as MadeUp
from calib.simulation.tables import COLUMNS, reading_rows
from instruments.context import Context
from instruments.procedure import InstrumentType, RecordKind
from instruments.services import customers, orders, standards
from tests.support import builders, issuing
from tests.support.confirmed import confirm_limits
from tests.support.sealed import Sealed
from tests.support.whole import DAY

LANGUAGES = ("zh+en", "zh", "en")
LONG = "省级大型综合性客运交通枢纽联合卫生检疫与医疗急救保障服务中心（东区航站楼及高速铁路站房）"
AMENDED = 8
SIMULATED = {17, 34, 51, 68}
"""Numbers of those whose readings say that they come from a generator."""


@dataclass(frozen=True)
class Case:
    """One certificate that is wished for."""

    type_id: str
    kind: RecordKind
    number: int
    language: str = "zh+en"
    budget: bool = False
    pieces: int = 1
    adjusted: bool = False
    grade: Grade = "good"
    customer: str = ""
    """Chinese name; empty: the usual one."""
    rule: str = "simple"
    simulated: bool = False

    @property
    def features(self) -> set[object]:
        """Return what a selection must show of it."""
        return {
            self.type_id.partition(".")[0], (self.kind, self.grade), self.language,
            ("budget", self.budget), ("pieces", self.pieces), ("adjusted", self.adjusted),
            ("long", bool(self.customer)), ("rule", self.rule), ("simulated", self.simulated),
        }  # fmt: skip


@dataclass(frozen=True)
class Made:
    """One certificate, what it was to be, and whether another has replaced it."""

    case: Case
    view: issue.IssuedView
    is_replaced: bool = False
    replaces: str = ""


def cases() -> list[Case]:
    """Return what is wished for: with the amendments it comes to a hundred."""
    wished = list(_wished(builders.the_catalogue().list()))[: 100 - AMENDED]
    return [
        replace(
            case,
            number=n,
            language=LANGUAGES[n % 3],
            budget=n % 4 == 0,
            simulated=n in SIMULATED,
        )
        for n, case in enumerate(wished, start=1)
    ]


def selection() -> list[Case]:
    """Return the first cases that show something no case before them shows."""
    seen: set[object] = set()
    found = []
    for case in cases():
        if case.features - seen:
            seen |= case.features
            found.append(case)
    return found


def _wished(types: list[InstrumentType]) -> Iterator[Case]:
    for one in types:
        yield Case(one.id, _usual_kind(one), 0, pieces=4 if one.batch else 1)
    yield Case("thermometer.glass_clinical", "verification", 0, pieces=40)
    yield Case("thermometer.glass_clinical", "verification", 0, pieces=12, grade="bad")
    verified = [one for one in types if "verification" in one.kinds and not one.batch]
    for one in verified:
        yield Case(one.id, "verification", 0)
    for one in verified[::2]:
        yield Case(one.id, "verification", 0, grade="bad")
    for one in [one for one in types if "as_left" in one.stages][:14]:
        yield Case(one.id, _usual_kind(one), 0, adjusted=True, grade="bad")
    for one in types[::4]:
        if "check" in one.kinds:
            yield Case(one.id, "check", 0)
    rules = ("none", "guard_U", "guard_U_nonbinary", "z5403")
    for n, one in enumerate(t for t in types if "calibration" in t.kinds):
        yield Case(one.id, "calibration", 0, customer=LONG, rule=rules[n % 4])


def _usual_kind(one: InstrumentType) -> RecordKind:
    return "calibration" if "calibration" in one.kinds else one.kinds[0]


def made(lab: Sealed, wished: list[Case], amended: int = AMENDED) -> list[Made]:
    """Issue them all, the first ones once more in place of themselves, and publish the lines."""
    for type_id in dict.fromkeys(case.type_id for case in wished):
        with lab.bench.as_(issuing.everybody(lab.bench)) as ctx:
            confirm_limits(ctx, lab.bench.catalogue.get(type_id))
    found = [Made(case, _issued(lab, case)) for case in wished]
    later = [_amended(lab, one) for one in found[:amended]]
    replaced = [replace(one, is_replaced=True) for one in found[:amended]]
    publish(lab.publisher, lab.clock)
    return [*replaced, *later, *found[amended:]]


@functools.cache
def _ready(type_id: str, kind: RecordKind, pieces: int) -> Ready:
    definition = builders.the_catalogue().get(type_id)
    return prepare(Model(definition, kind=kind, pieces=pieces, performed_on=DAY))


def _issued(lab: Sealed, case: Case) -> issue.IssuedView:
    bench, ready = lab.bench, _ready(case.type_id, case.kind, case.pieces)
    wanted = Wanted(grade=case.grade, all_passed=True, adjusted=case.adjusted)
    (drawn,) = simulate(ready, 11, [case.number], wanted)
    with bench.as_(issuing.everybody(bench)) as ctx:
        record = _opened(lab, ctx, case, ready, drawn.record)
        _planned(ctx, record, ready, case)
    with bench.as_(bench.technician) as ctx:
        _measured(ctx, record, drawn.record, case)
        review.submit(ctx, record, issuing.version_of(ctx, record))
    issuing.approve(bench, record)
    return lab.issue(record)


def _opened(lab: Sealed, ctx: Context, case: Case, ready: Ready, drawn: CalibrationInput) -> int:
    """Open the record of an order for a new instrument of a new model."""
    frame, definition, catalogue = ready.frame, ready.model.definition, lab.bench.catalogue
    attributes = dict(frame.item.attributes)
    verification = attributes.pop("verification", None)
    customer = lab.bench.customer_id
    if case.customer:
        customer = customers.create_customer(
            ctx, name_zh=f"{case.customer}{case.number}号", address="1 Station Square",
            name_en=f"Joint health service of hub {case.number}", kind="transport",
        ).id  # fmt: skip
    model = builders.a_model(
        ctx, catalogue, type_id=definition.id, attributes=attributes,
        resolution=dict(frame.item.resolution),
        calibration_mode="hold for 3 s" if definition.calibration_mode == "required" else None,
    )  # fmt: skip
    item = builders.an_instrument(
        ctx, catalogue, model_id=model.id, customer_id=customer, serial=drawn.item.serial,
        pieces=len(drawn.item.pieces) or 1,
    )  # fmt: skip
    asked: dict[str, Any] = {"interval_months": 12, "print_due": case.number % 2 == 0}
    if case.kind != "calibration":
        asked = {}
    order = builders.an_order(
        ctx, catalogue, item.id, kind=case.kind,
        decision_rule="regulation" if case.kind == "verification" else case.rule,
        lines=(orders.LineRequest(instrument_id=item.id, verification_kind=verification),),
        language=case.language, include_budget=case.budget, **asked,
    )  # fmt: skip
    return planning.open_calibration(ctx, order.lines[0].id, catalogue=catalogue).id


def _planned(ctx: Context, record: int, ready: Ready, case: Case) -> None:
    """Plan the standards made for the case: a lab with those of every type has much to choose."""
    known = {one.code: one for one in standards.list_standards(ctx)}
    named: dict[str, list[int]] = {}
    for n, made_up in enumerate(ready.made, start=1):
        code = f"{case.type_id}-{case.kind}-{case.pieces}-{n}"
        view = known.get(code) or _registered(ctx, code, made_up)
        for place in made_up.inputs:
            ids = named.setdefault(place.partition(".")[0], [])
            if view.certificates[0].id not in ids:
                ids.append(view.certificates[0].id)
    version = issuing.version_of(ctx, record)
    planning.plan(ctx, record, version, planning.PlanChange(standards=named))


def _registered(ctx: Context, code: str, made_up: MadeUp) -> standards.StandardView:
    one = made_up.standard
    row = standards.register_standard(
        ctx, code=code, name_en=one.name.en, name_zh=one.name.zh, model=one.model,
        serial=one.serial, kind=made_up.kind, quantity=one.quantity, unit=one.unit,
    )  # fmt: skip
    entry = standards.CertificateEntry(
        number=one.certificate_number,
        issuer=one.issuer,
        calibrated_on=date.fromisoformat(one.calibrated_on),
        valid_until=date.fromisoformat(one.valid_until or DAY),
        values=tuple(
            standards.CertificateLine(v.indication, v.reference, v.U, v.k) for v in one.values
        ),
        low=one.low,
        high=one.high,
    )
    standards.enter_certificate(ctx, row.id, entry)
    return standards.get_standard(ctx, row.id)


def _measured(ctx: Context, record: int, drawn: CalibrationInput, case: Case) -> None:
    """Enter readings as measured ones, where they are not to say what they are."""
    text = io.StringIO()
    columns = [c for c in COLUMNS if case.simulated or c != "simulated"]
    table = csv.DictWriter(text, columns, extrasaction="ignore")
    table.writeheader()
    table.writerows(reading_rows(drawn))
    content = text.getvalue().encode()
    report = readings.import_readings(ctx, record, content, "readings.csv", dry_run=False)
    assert not report.findings, [f.text() for f in report.findings]
    for one in drawn.conditions:
        entry = readings.ConditionEntry(one.quantity, one.when, one.value, one.unit, 0)
        readings.enter_condition(ctx, record, entry)
    circumstances.set_facts(ctx, record, issuing.version_of(ctx, record), **_facts(drawn))
    draft = evaluation.evaluate_draft(ctx, record)
    errors = [f.text() for f in draft.findings if f.severity == "error"]
    assert not errors, errors
    for f in draft.findings:
        if f.severity == "warning":
            version = issuing.version_of(ctx, record)
            circumstances.accept_warning(ctx, record, version, f"{f.code}@{f.at}", "seen; stands")


def _facts(drawn: CalibrationInput) -> dict[str, Any]:
    return {
        "performed_on": date.fromisoformat(drawn.performed_on),
        "acclimatisation_minutes": drawn.acclimatisation_minutes,
        "adjustment": "零点已调整 offset adjusted"
        if "as_left" in {point.stage for point in drawn.points}
        else None,
        "examinations": {
            e.id: {"passed": e.passed, "remark": e.remark, "rejected_pieces": e.rejected_pieces}
            for e in drawn.examinations
        },
    }


def _amended(lab: Sealed, first: Made) -> Made:
    """Issue a certificate in place of another."""
    bench = lab.bench
    with bench.as_(bench.technician) as ctx:
        copy = issue.amend(ctx, first.view.certificate_id, "备注遗漏 remark forgotten")
        readings.set_facts(ctx, copy.id, copy.version, remark="油槽 bath of oil")
        draft = evaluation.evaluate_draft(ctx, copy.id)
        for f in draft.findings:
            if f.severity == "warning":
                version = issuing.version_of(ctx, copy.id)
                circumstances.accept_warning(ctx, copy.id, version, f"{f.code}@{f.at}", "seen")
        review.submit(ctx, copy.id, issuing.version_of(ctx, copy.id))
    issuing.approve(bench, copy.id)
    return Made(first.case, lab.issue(copy.id), replaces=first.view.number)
