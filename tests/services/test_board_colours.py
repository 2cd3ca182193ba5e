"""Colour and words of one instrument: the gravest reason wins, and nothing unknown is green."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from calib.i18n import translate
from calib.services.board import spoken_for
from calib.services.colours import Standing, judge
from calib.services.standing import CertificateLine

TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def line(verdict="pass", *, state="issued", kind="calibration_certificate", id_=1, **more):
    given = {
        "id": id_,
        "number": f"HZ-{id_}",
        "token": "t" * 22,
        "kind": kind,
        "instrument_id": 7,
        "calibration_id": 1,
        "replaces_id": None,
        "performed_on": date(2026, 2, 1),
        "due_on": None,
        "verdict": verdict,
        "state": state,
        "reserved_at": NOW,
        "issued_at": None if state in ("reserved", "void") else NOW,
        **more,
    }
    return CertificateLine(**given)


def standing(**more):
    given = {
        "status": "in_service",
        "reason": "",
        "is_for_people_but_industrial": False,
        "is_mode_unknown": False,
        "certificate": line(),
        "check": None,
        "due_on": date(2026, 9, 1),
        **more,
    }
    return Standing(**given)


CASES = [
    ("passed", "green", {}),
    ("passed", "green", {"due_on": None}),
    ("calibrated", "green", {"certificate": line("not_stated")}),
    ("calibrated", "green", {"certificate": line("not_stated"), "due_on": None}),
    ("due-soon", "yellow", {"due_on": date(2026, 4, 1)}),
    ("passed", "green", {"due_on": date(2026, 4, 2)}),
    ("due-today", "yellow", {"due_on": TODAY}),
    ("overdue", "red", {"due_on": date(2026, 3, 1)}),
    ("limited", "yellow", {"status": "limited", "reason": "38 °C and more only"}),
    ("overdue", "red", {"status": "limited", "due_on": date(2026, 3, 1)}),
    ("conditional", "yellow", {"certificate": line("conditional_pass")}),
    ("conditional", "yellow", {"certificate": line("undetermined")}),
    ("cannot-be-stated", "yellow", {"certificate": line("cannot_be_stated")}),
    ("failed", "red", {"certificate": line("fail")}),
    ("failed", "red", {"certificate": line("conditional_fail")}),
    ("failed", "red", {"certificate": line("fail", kind="verification_notice"), "due_on": None}),
    ("withdrawn", "red", {"certificate": line(state="withdrawn")}),
    ("never-certified", "red", {"certificate": None, "due_on": None}),
    ("not-calibratable", "red", {"certificate": None, "is_mode_unknown": True}),
    ("not-calibratable", "red", {"certificate": line("not_calibratable")}),
    ("passed", "green", {"is_mode_unknown": True}),
    ("industrial-not-for-people", "red", {"is_for_people_but_industrial": True}),
    ("check-failed", "red", {"check": line("fail", kind="check_record", id_=2)}),
    ("passed", "green", {"check": line("pass", kind="check_record", id_=2)}),
    ("checked-only", "yellow", {"certificate": None, "check": line(kind="check_record")}),
    ("out-of-service", "red", {"status": "out_of_service", "reason": "dropped"}),
    ("lost", "red", {"status": "lost", "reason": "gate 3"}),
    ("scrapped", "red", {"status": "scrapped", "reason": "broken"}),
    ("failed", "red", {"certificate": line("fail"), "due_on": date(2025, 1, 1)}),
]


@pytest.mark.parametrize(("code", "colour", "known"), CASES)
def test_the_gravest_reason_gives_colour_and_words(code, colour, known):
    judgement = judge(standing(**known), TODAY)
    assert (judgement.code, judgement.colour) == (code, colour)
    english = translate(judgement.message, "en", **judgement.facts)
    chinese = translate(judgement.message, "zh", **judgement.facts)
    assert "{" not in english + chinese
    assert english != chinese


def test_the_words_name_certificate_day_and_reason():
    words = judge(standing(due_on=date(2026, 2, 20)), TODAY)
    assert words.facts == {"day": "2026-02-20", "days": 10}
    assert "38 °C" in translate(
        "Limited use: {reason}.",
        "zh",
        **judge(standing(status="limited", reason="38 °C"), TODAY).facts,
    )


def test_a_replaced_voided_or_unissued_certificate_speaks_for_nothing():
    lines = [
        line(id_=1, state="superseded"),
        line("fail", id_=2),
        line(id_=3, state="void"),
        line(id_=4, state="reserved"),
    ]
    certificate, check = spoken_for(lines)[7]
    assert (certificate.id, check) == (2, None)


def test_a_withdrawn_certificate_speaks_against_even_over_an_older_good_one():
    certificate, _ = spoken_for([line(id_=1), line(id_=2, state="withdrawn")])[7]
    assert judge(standing(certificate=certificate), TODAY).code == "withdrawn"


def test_a_check_counts_until_the_next_certificate():
    check = line("fail", id_=2, kind="check_record")
    assert spoken_for([line(id_=1), check])[7] == (line(id_=1), check)
    assert spoken_for([line(id_=1), check, line(id_=3)])[7] == (line(id_=3), None)
