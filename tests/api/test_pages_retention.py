"""How long names are kept: shown to everybody of the lab, changed by whoever keeps it, and told."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from instruments.records.audit import AuditEvent
from tests.support.builders import context_for
from tests.support.web import Browser, a_sign_in

PATH = "/lab/retention"


@pytest.mark.parametrize(("language", "words"), [("en", "for 10 years after"), ("zh", "10 年")])
def test_everybody_of_the_lab_reads_how_long_names_are_kept(world, app, language, words):
    page = Browser(app, a_sign_in(world, "technician"), language).get("/lab")
    assert words in page.words()
    assert not page.document.xpath("//form[@action='/lab/retention']")


@pytest.mark.parametrize("role", ["manager", "administrator"])
def test_who_keeps_the_lab_changes_it_and_the_trail_tells(world, app, role):
    browser = Browser(app, a_sign_in(world, role))
    assert browser.post(PATH, years="15").location == "/lab?done=saved"
    assert "for 15 years after" in browser.get("/lab").words()
    with context_for(world) as ctx:
        told = select(AuditEvent.facts).where(AuditEvent.act == "registry:lab:retention")
        assert ctx.session.scalars(told).one()["retention_years"] == [10, 15]


@pytest.mark.parametrize("years", ["0", "101", "", "-3", "ten"])
def test_what_is_no_number_of_years_is_refused_beside_its_field(world, app, years):
    browser = Browser(app, a_sign_in(world, "manager"))
    page = browser.post(PATH, years=years)
    assert page.status == 422
    assert page.problem("years")
    assert "for 10 years after" in page.words()
    assert page.document.xpath("//input[@name='name_en']/@value") != [""]


def test_nobody_else_changes_it(world, app):
    for role in ("technician", "quality_manager"):
        assert Browser(app, a_sign_in(world, role)).post(PATH, years="1").status == 403
