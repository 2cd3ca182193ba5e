"""Standards, their certificates and which one was in force."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from instruments.errors import Conflict, Invalid, NotAllowed, NotFound
from instruments.services import scope, standards
from instruments.services.standards import CertificateLine
from tests.support.builders import a_certificate, a_standard, context_for
from tests.support.ruling import ruling

LINES = (
    CertificateLine("41.0", "40.980", "0.060", "2.0"),
    CertificateLine("-35.0", "-35.02", "0.06", "2", "50"),
)


def test_certificate_is_kept_as_text_ordered_by_indication(place):
    with context_for(place) as ctx:
        view = a_standard(ctx, a_certificate(values=LINES))
    assert view.certificates[0].values == (LINES[1], LINES[0])
    assert view.certificates[0].values[1].reference == "40.980"


@pytest.mark.parametrize(
    ("line", "code", "at"),
    [
        (CertificateLine("1", "1", "0"), "certificate-without-uncertainty", "/values/0/U"),
        (CertificateLine("1", "1", "-0.1"), "certificate-without-uncertainty", "/values/0/U"),
        (CertificateLine("1", "1", "0.1", "0.99"), "coverage-factor-too-small", "/values/0/k"),
        (CertificateLine("1", "1", "0.1", "2", "0"), "dof-too-small", "/values/0/dof"),
        (CertificateLine("1,0", "1", "0.1"), None, "/values/0/indication"),
        (CertificateLine("1", "nan", "0.1"), None, "/values/0/reference"),
        (CertificateLine("1", "１", "0.1"), None, "/values/0/reference"),
    ],
)
def test_unusable_line_is_refused(place, line, code, at):
    with context_for(place) as ctx, pytest.raises(Invalid) as caught:
        a_standard(ctx, a_certificate(values=(line,)))
    assert code is None or caught.value.code == code
    assert caught.value.at == at


def test_all_problems_are_found_at_once(place):
    bad = a_certificate(
        number=" ",
        valid_until=date(2025, 8, 1),
        values=(CertificateLine("1", "1", "0"), CertificateLine("1.0", "x", "0.1")),
    )
    with context_for(place) as ctx, pytest.raises(Invalid) as caught:
        a_standard(ctx, bad)
    assert [f.at for f in caught.value.findings] == [
        "/number",
        "/valid_until",
        "/values/0/U",
        "/values/1/reference",
        "/values/1/indication",
    ]
    assert caught.value.findings[-1].code == "certificate-line-twice"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"calibrated_on": date(2026, 3, 3), "valid_until": None}, "calibrated-in-future"),
        ({"valid_until": date(2025, 8, 31)}, "period-backwards"),
        ({"low": "1", "high": None}, "range-half"),
        ({"low": "2", "high": "1"}, "range-backwards"),
        ({"values": ()}, "certificate-lines"),
        ({"issuer": ""}, "field-empty"),
        ({"origin": "heard"}, "field-unknown-choice"),
    ],
)
def test_unusable_certificate_is_refused(place, given, code):
    with context_for(place) as ctx, pytest.raises(Invalid) as caught:
        a_standard(ctx, a_certificate(**given))
    assert caught.value.code == code


def test_correction_is_a_new_edition_with_a_reason(place):
    with context_for(place) as ctx:
        view = a_standard(ctx, a_certificate(number="C-1"))
        old = view.certificates[0]
        entry = a_certificate(number="C-1", values=LINES)
        with pytest.raises(Conflict) as caught:
            standards.enter_certificate(ctx, view.id, entry)
        assert caught.value.code == "certificate-entered"
        with pytest.raises(Invalid):
            standards.enter_certificate(ctx, view.id, entry, replaces_id=old.id, reason=" ")
        new_id = standards.enter_certificate(
            ctx, view.id, entry, replaces_id=old.id, reason="a line was mistyped"
        )
        with pytest.raises(Conflict) as caught:
            standards.enter_certificate(ctx, view.id, entry, replaces_id=old.id, reason="again")
        assert caught.value.code == "certificate-replaced"
        both = {c.id: c for c in standards.get_standard(ctx, view.id).certificates}
        assert (both[new_id].edition, both[new_id].replaces_id) == (2, old.id)
        assert both[old.id].replaced_by_id == new_id
        assert both[old.id].values == old.values
        in_force = standards.in_force(ctx, [view.id], date(2026, 1, 1))
        assert in_force[view.id].id == new_id


def test_certificate_of_another_standard_cannot_be_replaced(place):
    with context_for(place) as ctx:
        one, other = a_standard(ctx), a_standard(ctx)
        with pytest.raises(NotFound):
            standards.enter_certificate(
                ctx, one.id, a_certificate(), replaces_id=other.certificates[0].id, reason="x"
            )


@pytest.mark.parametrize(
    ("on", "number"),
    [
        (date(2024, 8, 31), None),
        (date(2024, 9, 1), "old"),
        (date(2025, 8, 31), "old"),
        (date(2025, 9, 1), "new"),
        (date(2026, 8, 31), "new"),
        (date(2026, 9, 1), None),
    ],
)
def test_certificate_in_force_covers_the_day(place, on, number):
    with context_for(place) as ctx:
        view = a_standard(
            ctx,
            a_certificate(
                number="old", calibrated_on=date(2024, 9, 1), valid_until=date(2025, 9, 30)
            ),
        )
        standards.enter_certificate(ctx, view.id, a_certificate(number="new"))
        found = standards.in_force(ctx, [view.id], on)
    assert (found[view.id].number if found else None) == number


def test_database_refuses_to_change_a_certificate(place):
    with context_for(place) as ctx:
        a_standard(ctx)
    for table in ("standard_certificates", "standard_certificate_values"):
        with pytest.raises(DBAPIError, match="insert-only"), ruling(place.engine) as connection:
            connection.execute(text(f"UPDATE {table} SET lab_id = 1"))  # noqa: S608


@pytest.mark.parametrize(
    ("given", "at"),
    [
        ({"code": ""}, "/code"),
        ({"serial": "Б\u200b"}, "/serial"),
        ({"quantity": "heat"}, "/quantity"),
        ({"unit": "kPa"}, "/unit"),
        ({"status": "new"}, "/status"),
        ({"name_en": "", "name_zh": ""}, "/name_zh"),
    ],
)
def test_unusable_standard_is_refused(place, given, at):
    with context_for(place) as ctx, pytest.raises(Invalid) as caught:
        a_standard(ctx, **given)
    assert caught.value.at == at


def test_code_is_unique_and_unit_fixed_once_certified(place):
    with context_for(place) as ctx:
        view = a_standard(ctx, code="S-001")
        other = a_standard(ctx)
        with pytest.raises(Conflict, match="S-001"):
            a_standard(ctx, code="S-001")
        with pytest.raises(Conflict):
            standards.update_standard(ctx, other.id, other.version, code="S-001")
        with pytest.raises(Conflict) as caught:
            standards.update_standard(ctx, view.id, view.version, unit="K")
        assert caught.value.code == "standard-unit-fixed"
        out = standards.update_standard(ctx, view.id, view.version, status="out_of_service")
        assert out.status == "out_of_service"
        assert [s.code for s in standards.list_standards(ctx)] == sorted([view.code, other.code])


def test_who_may_enter_certificates(place):
    with context_for(place) as ctx:
        view = a_standard(ctx)
    for role in ("reviewer", "signatory", "venue_operator"):
        with context_for(place, role) as ctx, pytest.raises(NotAllowed):
            standards.enter_certificate(ctx, view.id, a_certificate())


SCOPE = scope.ScopeEntry(
    type_id="thermometer.infrared_forehead",
    measurand="temperature",
    document="JJF 1107-2003",
    low="34.0",
    high="42.0",
    U="0.10",
    starts_on=date(2025, 1, 1),
)


def test_a_row_of_the_scope_is_kept_and_ends_on_its_last_day(place):
    with context_for(place) as ctx:
        row_id = scope.add_row(ctx, SCOPE, catalogue=place.catalogue)
        assert [row.entry for row in scope.list_rows(ctx)] == [SCOPE]
        scope.end_row(ctx, row_id, date(2025, 6, 30))
        ended = replace(SCOPE, ends_on=date(2025, 6, 30))
        assert [row.entry for row in scope.list_rows(ctx)] == [ended]
        with pytest.raises(Invalid):
            scope.end_row(ctx, row_id, date(2024, 6, 30))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"U": "0", "U_fraction": "0"}, Invalid),
        ({"U": "-0.1"}, Invalid),
        ({"low": "43"}, Invalid),
        ({"measurand": "humidity"}, Invalid),
        ({"type_id": "thermometer.unknown"}, NotFound),
        ({"document": " "}, Invalid),
        ({"ends_on": date(2024, 1, 1)}, Invalid),
    ],
)
def test_unusable_scope_row_is_refused(place, change, error):
    from dataclasses import replace

    with context_for(place) as ctx, pytest.raises(error):
        scope.add_row(ctx, replace(SCOPE, **change), catalogue=place.catalogue)


def test_only_a_manager_keeps_the_scope(place):
    with context_for(place, "technician") as ctx, pytest.raises(NotAllowed):
        scope.add_row(ctx, SCOPE, catalogue=place.catalogue)
