"""Each lint fires for the breach it is named for, and a sound document passes them all."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from calib.certificates.document import Amendment, ChainLink, ConditionRange, PersonWords
from calib.certificates.lint import LINTS, lint
from calib.certificates.pdf import render
from calib.certificates.reread import RULES, reread
from calib.evaluation.inputs import DecisionRule, ExaminationInput
from calib.evaluation.result import FoundFinding
from instruments.text import LocalizedText
from tests.support.documents import (
    a_document,
    digital_certificate,
    ear_verification,
    forehead_certificate,
    glass_batch,
)
from tests.support.inputs import glass

SOUND = forehead_certificate()


def _points(document, **changes):
    points = tuple(replace(point, **changes) for point in document.result.points)
    return replace(document, result=replace(document.result, points=points))


def _printed(document, **changes):
    points = tuple(
        replace(p, printed=replace(p.printed, **changes)) for p in document.result.points
    )
    return replace(document, result=replace(document.result, points=points))


def _measured(document, **changes):
    return replace(document, measurement=replace(document.measurement, **changes))


def _standard(document, **changes):
    standard = replace(document.measurement.standards[0], **changes)
    return _measured(document, standards=(standard,))


def _ended(document, *roles, **standing):
    methods = tuple(
        replace(m, is_outdated=True, **standing) if m.role in roles else m
        for m in document.measurement.methods
    )
    return _measured(document, methods=methods)


def _points_with_digits(document):
    points = tuple(
        replace(
            p,
            printed=replace(
                p.printed, error=f"{p.error:.4f}", correction=f"{-p.error:.4f}", U=f"{p.U:.4f}"
            ),
        )
        for p in document.result.points
    )
    return replace(document, result=replace(document.result, points=points))


EAR = ear_verification()
BLANK = LocalizedText(en=" ")
BREACHES = {
    "kind-against-verdict": replace(EAR, kind="verification_notice", valid_until=None),
    "lab-incomplete": replace(SOUND, lab=replace(SOUND.lab, address=BLANK)),
    "place-missing": replace(SOUND, place=replace(SOUND.place, kind="customer_site", address="")),
    "number-or-address": replace(SOUND, address="http://calib.example.org/c/" + SOUND.token),
    "customer-incomplete": replace(SOUND, customer=replace(SOUND.customer, address="", contact="")),
    "method-missing": _measured(SOUND, methods=()),
    "document-superseded": _ended(SOUND, "method", replaced_by="JJF 1107-2027"),
    "regulation-superseded": _ended(EAR, "method", ends_on="2026-02-28"),
    "item-unidentified": replace(
        SOUND, item=replace(SOUND.item, serial="", asset_number="", barcode="")
    ),
    "condition-missing": replace(SOUND, item=replace(SOUND.item, condition="")),
    "dates-out-of-order": replace(SOUND, received_on="2026-03-04"),
    "sampling-missing": replace(glass_batch(), item=replace(glass_batch().item, quantity=40)),
    "results-incomplete": replace(SOUND, result=replace(SOUND.result, points=())),
    "deviation-unnamed": replace(
        SOUND,
        result=replace(
            SOUND.result, findings=(FoundFinding("env", "warning", "warm", accepted=True),)
        ),
    ),
    "persons-incomplete": replace(SOUND, persons=SOUND.persons[:2]),
    "same-person": replace(
        SOUND, persons=(*SOUND.persons[:2], PersonWords("authorised", SOUND.persons[0].name))
    ),
    "uncertainty-missing": _printed(SOUND, U="0"),
    "printed-differs": _printed(SOUND, error="0.60"),
    "rounding-uneven": _printed(SOUND, U="0.1"),
    "conditions-missing": _measured(
        SOUND, conditions=(ConditionRange("relative_humidity", "%RH", "40", "41"),)
    ),
    "traceability-broken": _standard(SOUND, valid_until="2026-03-01"),
    "before-adjustment-missing": _points(SOUND, stage="as_left"),
    "statement-without-rule": _measured(SOUND, rule=DecisionRule("none")),
    "limits-unnamed": _points(SOUND, limit_document=""),
    "limits-open": _points(SOUND, limit_confidence="BG"),
    "limits-unconfirmed": replace(
        SOUND, result=replace(SOUND.result, unconfirmed_limits=("JJF 1107-2003",))
    ),
    "uncertainty-below-capability": _measured(
        SOUND, scope=tuple(replace(row, U="0.5") for row in SOUND.measurement.scope)
    ),
    "accreditation-outside-scope": _measured(SOUND, scope=SOUND.measurement.scope[1:]),
    "accreditation-simulated": replace(SOUND, simulated=True),
    "uncertainty-digits": _points_with_digits(SOUND),
    "traceability-inside": _standard(SOUND, issuer="滨江市 计量测试研究院"),
    "approvals-out-of-order": replace(
        SOUND, persons=(*SOUND.persons[:2], replace(SOUND.persons[2], on="2026-03-04"))
    ),
    "unit-unknown": _measured(
        SOUND,
        conditions=(replace(SOUND.measurement.conditions[0], unit="%RH"),),
    ),
    "validity-fence-post": replace(EAR, valid_until="2027-03-02"),
    "interval-not-agreed": replace(SOUND, next_due_on="2027-03-02"),
    "validity-wrong": replace(EAR, valid_until=None),
    "amendment-incomplete": replace(SOUND, amendment=Amendment(SOUND.number, "typing error")),
    "calibration-mode-missing": replace(SOUND, item=replace(SOUND.item, calibration_mode="")),
    "hidden-character": replace(SOUND, remarks=("sn \u202e54321",)),
    "unprintable-character": replace(SOUND, remarks=("\u0628",)),
}

COMPANIONS = {"uncertainty-missing": {"printed-differs", "rounding-uneven"}}
"""What a breach breaks besides the lint it is named for."""


@pytest.mark.parametrize("code", LINTS)
def test_the_lint_fires_for_its_breach_alone(code):
    found = lint(BREACHES[code])
    assert code in {finding.code for finding in found}
    assert all(finding.clause and finding.at.startswith("/") for finding in found)
    assert {finding.code for finding in found} - {code} <= COMPANIONS.get(code, set())


@pytest.mark.parametrize(
    "document",
    [SOUND, EAR, digital_certificate(), glass_batch(), ear_verification(shift="1")],
    ids=["calibration", "verification", "curve", "batch", "notice"],
)
def test_a_sound_document_breaks_nothing(document):
    assert [f for f in lint(document) if f.severity == "error"] == []


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (replace(SOUND, valid_until="2027-03-01"), "calibration certificate with a validity"),
        (replace(glass_batch(), valid_until="2027-03-01"), "first verification with a validity"),
        (replace(EAR, valid_until="2026-03-02"), "validity that ends with the work"),
    ],
)
def test_a_validity_stands_only_where_the_law_gives_one(document, field):
    assert "validity-wrong" in {f.code for f in lint(document)}, field


@pytest.mark.parametrize("character", ["\u200b", "\u202e", "\ufeff", "\u0007", "\u2066"])
def test_invisible_characters_are_named_with_their_place(character):
    document = replace(SOUND, customer=replace(SOUND.customer, contact=f"Wang{character}Fang"))
    hits = [f for f in lint(document) if f.code == "hidden-character"]
    assert [f.at for f in hits] == ["/customer/contact"]
    assert f"U+{ord(character):04X}" in hits[0].text()


def test_an_expired_standard_is_named_and_one_without_end_is_not():
    assert "S-1" in lint(_standard(SOUND, valid_until="2026-03-01"))[0].text()
    assert lint(_standard(SOUND, valid_until=None)) == lint(SOUND)


def test_a_verification_made_before_its_regulation_ended_is_only_warned_about():
    done = EAR.performed_on
    ended = [f for f in lint(_ended(EAR, "method", ends_on=done)) if "superseded" in f.code]
    assert {(f.code, f.severity) for f in ended} == {("document-superseded", "warning")}
    unknown = [f for f in lint(_ended(EAR, "method")) if "superseded" in f.code]
    assert {(f.code, f.severity) for f in unknown} == {("regulation-superseded", "error")}


def test_documents_that_are_only_named_may_be_out_of_force():
    assert lint(_ended(SOUND, "product", "standard")) == lint(SOUND)


def test_work_on_site_needs_no_date_of_receipt():
    place = replace(SOUND.place, kind="customer_site")
    assert "dates-out-of-order" not in {
        f.code for f in lint(replace(SOUND, place=place, received_on=""))
    }
    assert "dates-out-of-order" in {f.code for f in lint(replace(SOUND, received_on=""))}


def test_every_lint_has_its_row_in_the_manual():
    manual = (Path(__file__).parents[2] / "docs" / "lints.md").read_text(encoding="utf-8")
    for code, rule in LINTS.items():
        assert f"| `{code}` | {rule.clause} | {rule.severity} |" in manual
    for code, (clause, _) in RULES.items():
        assert f"| `{code}` | {clause} | error |" in manual


def _examined(points, rejected):
    """Return the document of a batch of three glass thermometers of which some look bad."""
    record = glass([("37.02", "41.00")] * 3)
    appearance = ExaminationInput("appearance", passed=False, rejected_pieces=rejected)
    others = tuple(e for e in record.examinations if e.id != "appearance")
    measured = tuple(p for p in record.points if p.piece in points)
    standards = record.standards if measured else ()
    return a_document(
        replace(record, points=measured, examinations=(*others, appearance), standards=standards)
    )


@pytest.mark.parametrize(
    ("points", "rejected", "kind"),
    [
        ((3,), (1, 2), "verification_certificate"),
        ((), (), "verification_notice"),
        ((), (1, 2, 3), "verification_notice"),
    ],
)
def test_what_an_examination_rejects_need_not_be_measured(points, rejected, kind):
    document = _examined(points, rejected)

    assert document.kind == kind
    assert [f.code for f in lint(document) if f.severity == "error"] == []
    assert reread(document, render(document, {}), {}) == ()


def test_a_batch_measured_in_part_needs_its_sampling_although_one_piece_failed():
    document = _examined((2, 3), (1,))
    larger = replace(document, item=replace(document.item, quantity=5))

    assert "sampling-missing" in {f.code for f in lint(larger)}


@pytest.mark.parametrize(
    ("performed", "last"),
    [
        ("2026-01-01", "2026-12-31"),
        ("2024-02-29", "2025-02-28"),
        ("2023-03-01", "2024-02-29"),
        ("2026-12-31", "2027-12-30"),
    ],
)
def test_the_last_day_of_a_validity_is_the_day_before_its_anniversary(performed, last):
    done = replace(EAR, performed_on=performed, performed_from=performed, valid_until=last)
    assert "validity-fence-post" not in {f.code for f in lint(done)}
    later = (date.fromisoformat(last) + timedelta(days=1)).isoformat()
    assert "validity-fence-post" in {f.code for f in lint(replace(done, valid_until=later))}


def _chained(*links, issuer=SOUND.lab.name.en):
    own = _standard(SOUND, issuer=issuer, certificate_number="OWN-1")
    return _measured(own, chain=tuple(ChainLink(*link) for link in links))


@pytest.mark.parametrize(
    ("links", "is_open"),
    [
        ((), True),
        ((("OWN-1", "NIM-7", "National Institute"),), False),
        ((("OWN-1", "OWN-2", "滨江市计量测试研究院"),), True),
        ((("OWN-1", "OWN-2", "滨江市计量测试研究院"), ("OWN-2", "N-7", "NIM")), False),
        ((("OWN-1", "N-7", "NIM"), ("OWN-1", "OWN-1", "滨江市计量测试研究院")), True),
        ((("OWN-1", "TPW-1", "Primary realisation: triple point of water"),), False),
    ],
)
def test_a_chain_ends_outside_the_laboratory(links, is_open):
    found = {f.code for f in lint(_chained(*links)) if f.severity == "error"}
    assert found == ({"traceability-inside"} if is_open else set())


def test_a_rounded_u_is_not_below_a_capability_that_rounds_to_it():
    point = SOUND.result.points[0].printed
    just = Decimal(point.U) + Decimal("0.4") * Decimal(1).scaleb(
        Decimal(point.U).as_tuple().exponent
    )
    rows = tuple(replace(row, U=f"{just}") for row in SOUND.measurement.scope[:1])
    near = _measured(SOUND, scope=(*rows, *SOUND.measurement.scope[1:]))
    assert "uncertainty-below-capability" not in {f.code for f in lint(near)}


@pytest.mark.parametrize(("U", "is_fine"), [("120", True), ("1.20", False), ("0.012", True)])
def test_zeros_that_only_hold_a_place_are_no_digits(U, is_fine):
    assert ("uncertainty-digits" in {f.code for f in lint(_printed(SOUND, U=U))}) != is_fine
